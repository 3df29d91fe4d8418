import { hash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { instantiate } from '../../src/core/definition.ts';
import { OWN_CALL_HEADER, ownCallToken } from '../../src/core/own-calls.ts';
import { definition } from '../../src/plugins/prompt-patcher.ts';
import { until } from '../kit/until.ts';
import { answer, stall, startUpstream, type Upstream } from '../kit/upstream.ts';
import { pluginHost } from '../plugins/recording-scope.ts';
import { ask, type RunningGateway, startGateway } from './gateway-kit.ts';
import { makeSnapshot } from './snapshot.ts';

let upstream: Upstream;
let gateway: RunningGateway;
const token = ownCallToken(Buffer.alloc(32, 7));

beforeAll(async () => {
  upstream = await startUpstream(answer('fine'));
  const plugin = instantiate(definition, {}, pluginHost);
  const snapshot = makeSnapshot({
    targets: { main: upstream.url },
    resilience: { breaker: { failures: 2, calls_min: 2, errors: 0.5, open_ms: 60_000 } },
    plugins: [{ id: 'prompt-patcher', plugin }],
    access: {
      mode: 'keys',
      keys: {
        [hash('sha256', 'k', 'hex')]: { name: 'ci', tenant: 't', agents: null, asserts: [] },
      },
    },
  });
  const plan = snapshot.agents.get('default');
  if (!plan) throw new Error('there is no plan');
  const content = { ops: [{ op: 'system.append', text: 'Be brief.' }] } as const;
  const prompt = { name: 'tone', version: 1, content };
  const agents = new Map([['default', { ...plan, view: { ...plan.view, prompt } }]]);
  gateway = await startGateway({ ...snapshot, agents });
});
afterEach(() => upstream.script(answer('fine')));
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

test('own calls need no key, get no prompt, and are no users’ evidence', async () => {
  const headers = { [OWN_CALL_HEADER]: token, 'x-feedback': 'rating=1' };
  const response = await gateway.post(ask('hello'), headers);
  expect(response.status).toBe(200);
  const event = await gateway.event(1);
  expect(event).toMatchObject({ origin: 'oracle', tenant: 'oracle', experiment: null, arm: null });
  expect(event.markers).toEqual([]);
  expect(upstream.calls.at(-1)?.system).toBe('');
  expect(upstream.calls.at(-1)?.headers).not.toHaveProperty(OWN_CALL_HEADER);
  const { hive_calls_total, hive_own_calls_total } = gateway.metrics.snapshot();
  expect(hive_calls_total).toBeUndefined();
  expect(hive_own_calls_total?.[0]).toMatchObject({ labels: ['default', 'ok'], value: 1 });
});

test('own calls that their caller gives up do not open the breaker of a target', async () => {
  upstream.script(stall());
  for (let call = 0; call < 5; call += 1) {
    const headers = { [OWN_CALL_HEADER]: token, 'content-type': 'application/json' };
    const given_up = fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers,
      body: JSON.stringify(ask('hello')),
      signal: AbortSignal.timeout(60),
    });
    await expect(given_up).rejects.toThrow();
  }
  await until(() => gateway.events().filter(({ outcome }) => outcome === 'aborted').length === 5, {
    what: 'the calls to be over',
  });
  expect(gateway.gateway.liveTargets().main?.breaker).toBe('closed');
  upstream.script(answer('fine'));
  const users = await gateway.post(ask('hello'), { authorization: 'Bearer k' });
  expect(users.status).toBe(200);
});

test.each(['', 'x', `${token}x`, token.slice(1), token.toLowerCase()])(
  'own calls are not what a client says they are: %s',
  async (given) => {
    const refused = await gateway.post(ask('hello'), { [OWN_CALL_HEADER]: given });
    expect(refused.status).toBe(401);
    const before = gateway.events().length;
    const headers = { [OWN_CALL_HEADER]: given, authorization: 'Bearer k' };
    expect((await gateway.post(ask('hello'), headers)).status).toBe(200);
    const event = await gateway.event(before + 1);
    expect(event).toMatchObject({ origin: 'client', tenant: 't' });
    expect(upstream.calls.at(-1)?.system).toBe('Be brief.');
  },
);
