import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HOSTILITIES } from '../kit/hostile.ts';
import { type RawUpstream, startRawUpstream } from '../kit/raw-upstream.ts';
import { until } from '../kit/until.ts';
import { answer, startUpstream, type Upstream } from '../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';
import { makeSnapshot } from './snapshot.ts';

let hostile: RawUpstream;
let well: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  hostile = await startRawUpstream();
  well = await startUpstream(answer('fine'));
  const timeouts = { first_token_ms: 120, idle_ms: 120, total_ms: 200 };
  // Who is well is not late, however busy the machine is.
  const patient = { first_token_ms: 60_000, idle_ms: 60_000, total_ms: 60_000 };
  gateway = await startGateway(
    makeSnapshot({
      targets: {
        hostile: { url: hostile.url, timeouts },
        well: { url: well.url, timeouts: patient },
      },
      timeouts: patient,
      agents: { default: { targets: ['hostile'] }, other: { targets: ['well'] } },
      resilience: {
        retry: { retries: 0 },
        overload: { bytes_max: 8_000_000 },
      },
    }),
  );
});
afterAll(async () => {
  await gateway.close();
  await hostile.close();
  await well.close();
});

const held = () => gateway.metrics.snapshot().hive_held_bytes?.[0]?.value ?? 0;

/** The status and what follows it, however long it is: the last of it is what says how it ended. */
async function end(stream: boolean): Promise<string> {
  const response = await gateway.post(ask('hi', { stream }));
  let tail = '';
  const decoder = new TextDecoder();
  for await (const part of response.body ?? []) tail = (tail + decoder.decode(part)).slice(-500);
  return `${response.status} ${tail}`;
}

describe('a hostile upstream', () => {
  test.each(HOSTILITIES)(
    'that sends $name costs its own calls only',
    async (hostility) => {
      hostile.reply(hostility.reply);
      const calls = [end(hostility.stream), end(hostility.stream)];
      const other = await gateway.post(ask('hi', { model: 'other' }));
      expect(other.status).toBe(200);
      const ends = await Promise.all(calls);
      for (const one of ends) {
        expect(one).toMatch(hostility.ends);
        expect(one).not.toContain('[DONE]');
      }
      expect(held()).toBeLessThanOrEqual(8_000_000);
      await until(() => held() === 0, { what: 'the bytes to be let go' });
      await until(() => gateway.gateway.callsOpen() === 0, { what: 'the calls to end' });
    },
    120_000,
  );
});
