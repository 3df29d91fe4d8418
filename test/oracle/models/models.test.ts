import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Clock } from '../../../src/core/clock.ts';
import { silentLog } from '../../../src/core/log.ts';
import { createMetrics } from '../../../src/core/metrics.ts';
import {
  createProposalModels,
  type ProposalModels,
} from '../../../src/oracle/proposals/proposal-models.ts';
import type { Store } from '../../../src/store/open.ts';
import { emptyStore, openTestStore } from '../../kit/store.ts';
import { answer, reset, stall, startUpstream, status, type Upstream } from '../../kit/upstream.ts';
import { ASKED } from '../proposals/proposals-world.ts';

let store: Store;
let upstream: Upstream;
let now_ms = 0;

beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());
beforeEach(async () => {
  await emptyStore(store);
  now_ms = Date.UTC(2026, 0, 5, 12);
  upstream = await startUpstream(answer('fine'));
});
afterEach(() => upstream.close());

const clock: Clock = {
  monotonic_ms: () => performance.now(),
  wall_ms: () => now_ms,
  policy_ms: () => now_ms,
  origin: { origin_ms: 0, scale: 1 },
};

/** As a worker that has just been started would make them. */
function started(stopping = new AbortController().signal): ProposalModels {
  const gateway_url = upstream.url.replace(/\/v1$/, '');
  const metrics = createMetrics();
  const token = () => 't';
  return createProposalModels({
    halted: () => null,
    db: store.db,
    clock,
    log: silentLog,
    metrics,
    gateway_url,
    token,
    stopping,
  });
}

/** Long enough for a busy machine; a model that hangs is given less. */
const asked = { ...ASKED, timeout_ms: 5000 };
const question = {
  purpose: 'reflect',
  agent: 'duo',
  turns: [{ role: 'user', content: 'hello' }],
  parse: (text: string) => (text === 'fine' ? text : null),
} as const;

describe('createModels', () => {
  test('createModels makes no call beyond the day’s budget, also after a restart', async () => {
    const budget = { calls_per_day: 5, tokens_per_day: 1_000_000 };
    const causes: unknown[] = [];
    for (let n = 0; n < 4; n += 1) {
      const models = started();
      for (let call = 0; call < 2; call += 1) {
        const one = await models.ask(question, { ...asked, budget });
        causes.push(one.ok ? 'ok' : one.cause);
      }
    }
    expect(causes).toEqual([...Array(5).fill('ok'), ...Array(3).fill('budget')]);
    expect(upstream.calls).toHaveLength(5);
    expect(await started().spent()).toMatchObject({ period: '2026-01-05', calls: 5 });
    now_ms += 24 * 3_600_000;
    expect((await started().ask(question, { ...asked, budget })).ok).toBe(true);
  });

  test('createModels counts the tokens and USD that the model says it took', async () => {
    const price = { in: 1000, out: 2000 };
    const one = await started().ask(question, { ...asked, price });
    const { tokens, usd } = await started().spent();
    if (!one.ok) throw new Error(one.reason);
    expect(tokens).toBe(one.tokens);
    expect(tokens).toBeLessThan(100);
    expect(usd).toBeGreaterThan(0);
    expect(usd).toBeLessThan((2000 * 100) / 1e6);
  });

  test.each([
    ['fails', status(500), 'HTTP 500'],
    ['answers rubbish', answer('no idea'), 'not of the form'],
    ['answers nothing', answer(''), 'not of the form'],
    ['hangs', stall(), 'no answer in time'],
    ['hangs up', reset(), ''],
  ])('createModels asks a model that %s twice, then not for an hour', async (_what, how, why) => {
    upstream.script(how);
    const timeout_ms = why.includes('in time') ? 200 : 5000;
    for (let n = 0; n < 6; n += 1) await started().ask(question, { ...asked, timeout_ms });
    expect(upstream.calls).toHaveLength(2);
    const open = await started().breaker();
    expect(open).toMatchObject({ failures: 2, opened: 1, until_ms: now_ms + 3_600_000 });
    expect(open.reason).toContain(why);
    // What was set aside for a call whose end nobody saw stays spent.
    expect((await started().spent()).calls).toBe(2);
    now_ms += 3_600_001;
    for (let n = 0; n < 3; n += 1) await started().ask(question, { ...asked, timeout_ms });
    expect(upstream.calls).toHaveLength(3);
    expect((await started().breaker()).until_ms).toBe(now_ms + 2 * 3_600_000);
    now_ms += 2 * 3_600_000 + 1;
    upstream.script(answer('fine'));
    expect((await started().ask(question, asked)).ok).toBe(true);
    expect(await started().breaker()).toMatchObject({ failures: 0, until_ms: 0 });
  });

  test('createModels ends a call when the worker stops, which is no failure', async () => {
    upstream.script(stall());
    const stopping = new AbortController();
    const asking = started(stopping.signal).ask(question, { ...asked, timeout_ms: 60_000 });
    setTimeout(() => stopping.abort(), 50);
    expect(await asking).toMatchObject({ ok: false, cause: 'stopped' });
    expect((await started().breaker()).failures).toBe(0);
  });
});
