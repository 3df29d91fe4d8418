import { afterEach, expect, test } from 'vitest';
import { type RunningGateway, startGateway } from '../gateway/gateway-kit.ts';
import { anthropicAt, makeSnapshot } from '../gateway/snapshot.ts';
import { answerOf, fuzzAnswers } from './answers.ts';
import { fuzzRequests } from './requests.ts';
import { startSteadyUpstream } from './steady-upstream.ts';
import { WAYS } from './ways.ts';
import { startWildUpstream } from './wild-upstream.ts';

/** A small slice of `npm run test:slow`, with a seed of its own each day. */
const SEED = Number(process.env.SEED ?? Math.floor(Date.now() / 86_400_000));

let gateway: RunningGateway;
afterEach(() => gateway.close());

test('the gateway survives 2,000 fuzzed requests without a 5xx', async () => {
  const upstream = await startSteadyUpstream();
  gateway = await startGateway(makeSnapshot({ targets: TARGETS(upstream.url) }));
  const { port } = gateway;
  const report = await fuzzRequests({ port, seed: SEED, count: 2000, lanes: 8 });
  expect(report.problems).toEqual([]);
  expect(report.statuses['200']).toBeGreaterThan(100);
  expect(upstream.calls()).toBeGreaterThan(100);
  expect(gateway.gateway.callsOpen()).toBe(0);
  await upstream.close();
}, 60_000);

const TARGETS = (url: string) => ({
  'from-openai': url,
  'from-anthropic': { provider: anthropicAt(url) },
});
test('the gateway survives 500 fuzzed answers without a fault of its own', async () => {
  const upstream = await startWildUpstream((...asked) => answerOf(SEED, ...asked));
  gateway = await startGateway(
    makeSnapshot({
      targets: TARGETS(upstream.url),
      agents: { default: {} },
      resilience: { retry: { retries: 0 } },
      timeouts: { first_token_ms: 300, idle_ms: 300, total_ms: 2000 },
    }),
  );
  const { port } = gateway;
  const report = await fuzzAnswers({ port, seed: SEED, count: 500, lanes: 16, ways: WAYS });
  expect(report.problems).toEqual([]);
  expect(report.statuses['200']).toBeGreaterThan(25);
  await upstream.close();
}, 60_000);
