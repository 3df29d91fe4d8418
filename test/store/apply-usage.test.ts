import { expect, test } from 'vitest';
import type { CallEvent, UsageEvent } from '../../src/core/event.ts';
import type { Series } from '../../src/core/observation.ts';
import { sql } from '../../src/store/drizzle.ts';
import { createObserver } from '../../src/store/observe.ts';
import { rowsOf } from '../../src/store/rows.ts';
import { callEvent, NOON_MS } from '../kit/events.ts';
import { describeStores } from '../kit/store-suite.ts';

const HOUR_MS = 3_600_000;
const NOTHING = { in: 0, cached: 0, out: 0, estimated: true };

/** A call whose answer was to be made in the background. */
const waiting = (id: string, over: Partial<CallEvent> = {}): CallEvent =>
  callEvent(id, { finish: null, tokens: NOTHING, cost_usd: null, ...over });
const usage = (call: string, out: number, over: Partial<UsageEvent> = {}): UsageEvent => ({
  type: 'usage',
  v: 1,
  at_ms: NOON_MS + 5000,
  call,
  tenant: 'default',
  tokens: { in: 10, cached: 2, out, estimated: false },
  cost_usd: out / 100,
  ...over,
});

describeStores('applyUsage', ({ store, apply }) => {
  const seen = async () => {
    const window = { from_ms: NOON_MS, to_ms: NOON_MS + HOUR_MS };
    const { series } = await createObserver(store).observe({ window, event_limit: 10 });
    const of = (metric: Series['metric']) =>
      series
        .find((one) => one.metric === metric && one.segment.target === 'demo')
        ?.values.findLast((value) => value !== null);
    return { calls: of('calls'), tokens: of('tokens_mean'), usd: of('cost_mean_usd') };
  };
  const stored = () =>
    rowsOf(
      store.db,
      sql`select id, tokens_in, tokens_cached, tokens_out, tokens_estimated, cost_usd
        from calls order by id`,
    );

  test('applyUsage charges a call once, in its row and in the means of its minute', async () => {
    await apply(waiting('a'), waiting('b'), callEvent('c', { cost_usd: 0.4 }));
    expect(await seen()).toMatchObject({ calls: 3, tokens: 7, usd: 0.4 });
    await apply(usage('a', 40));
    // Said again, in another batch as in the same, it changes nothing; nor of a call that told it.
    await apply(usage('a', 90), usage('c', 90), usage('b', 20), usage('b', 20));
    expect(await stored()).toMatchObject([
      { id: 'a', tokens_in: 10, tokens_cached: 2, tokens_out: 40, tokens_estimated: false },
      { id: 'b', tokens_in: 10, tokens_out: 20, cost_usd: 0.2 },
      { id: 'c', tokens_in: 3, tokens_out: 4, cost_usd: 0.4 },
    ]);
    const { calls, tokens, usd } = await seen();
    expect(calls).toBe(3);
    expect(tokens).toBeCloseTo((50 + 30 + 7) / 3, 6);
    expect(usd).toBeCloseTo((0.4 + 0.2 + 0.4) / 3, 6);
  });

  test('applyUsage charges nobody else’s call, and none that is not stored', async () => {
    await apply(waiting('a'), waiting('r', { outcome: 'aborted' }), usage('none', 5));
    await apply(usage('a', 5, { tenant: 'rival' }), usage('r', 5));
    expect(await stored()).toMatchObject([
      { id: 'a', tokens_out: 0, tokens_estimated: true, cost_usd: null },
      { id: 'r', tokens_out: 0, tokens_estimated: true, cost_usd: null },
    ]);
  });

  test('applyUsage charges as much as a column holds, whatever an upstream made up', async () => {
    const most = 2 ** 31 - 1;
    const tokens = { in: 3e9, cached: 1e300, out: 2 ** 31, estimated: false };
    await apply(waiting('a'));
    await apply(usage('a', 0, { tokens }));
    expect(await stored()).toMatchObject([
      { id: 'a', tokens_in: most, tokens_cached: most, tokens_out: most },
    ]);
  });

  test('applyUsage charges a call of the batch that it came with', async () => {
    await apply(waiting('a'), usage('a', 40));
    expect(await seen()).toMatchObject({ calls: 1, tokens: 50, usd: 0.4 });
  });
});
