import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { JOURNAL_RECORD_BYTES_MAX } from '../../src/core/event.ts';
import { answer, startUpstream, status, stream, type Upstream } from '../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';
import { makeSnapshot } from './snapshot.ts';

let upstream: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  upstream = await startUpstream();
});
afterEach(() => gateway.close());
afterAll(() => upstream.close());

/** An agent with a target of its own and one that is there for trouble only. */
async function start(): Promise<void> {
  const entry = { targets: { own: 1 }, fallbacks: { any: ['spare'] } };
  const targets = { own: upstream.url, spare: upstream.url };
  gateway = await startGateway(
    makeSnapshot({ targets, agents: { default: { targets: ['own'], entry } } }),
  );
}

test('callEvent tells of an arm whose own target answered that it did not fail', async () => {
  await start();
  upstream.script(answer('yes'));
  await gateway.post(ask());
  const event = await gateway.event();
  expect(event).toMatchObject({ intended: 'own', served: 'own', arm_error: false });
  expect(event.attempts).toHaveLength(1);
});

test('callEvent tells of an arm that failed where another answered, or nobody did', async () => {
  await start();
  upstream.script([status(500), answer('yes')]);
  await gateway.post(ask());
  expect(await gateway.event(1)).toMatchObject({ served: 'spare', arm_error: true });
  upstream.script(status(500));
  await gateway.post(ask());
  expect(await gateway.event(2)).toMatchObject({ outcome: 'error', arm_error: true });
});

test('callEvent judges a pinned call by the target that its client named', async () => {
  await start();
  upstream.script(answer('yes'));
  await gateway.post(ask(), { 'x-hive-target': 'spare' });
  expect(await gateway.event()).toMatchObject({ served: 'spare', arm_error: false });
});

test('callEvent gives times to the microsecond', async () => {
  await start();
  upstream.script(answer('yes'));
  await gateway.post(ask());
  const { latency_ms, attempts } = await gateway.event();
  for (const ms of [latency_ms, attempts[0]?.ms ?? Number.NaN]) {
    expect(ms).toBe(Number(ms.toFixed(3)));
    expect(ms).toBeGreaterThan(0);
  }
});

test.each([false, true])(
  'callEvent keeps no id or reason of an upstream’s that would not fit in the journal (stream: %s)',
  async (streamed) => {
    await start();
    const long = 'x'.repeat(JOURNAL_RECORD_BYTES_MAX);
    const words = { role: 'assistant', content: 'yes' };
    const choice = { index: 0, message: words, delta: words, finish_reason: long };
    const body = { id: long, object: 'chat.completion', choices: [choice] };
    const events = `data: ${JSON.stringify(body)}\n\n`;
    upstream.script(streamed ? stream([{ raw: events }]) : status(200, body));
    const response = await gateway.post(ask('hi', { stream: streamed }));
    expect(await response.text()).toContain(long);
    const event = await gateway.event();
    expect(event).toMatchObject({ outcome: 'ok', served: 'own' });
    expect(JSON.stringify(event).length).toBeLessThan(10_000);
  },
);
