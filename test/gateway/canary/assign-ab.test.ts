import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CompiledAb } from '../../../src/config/snapshot.ts';
import type { AbUnit } from '../../../src/core/ab/entry.ts';
import type { Endpoint } from '../../../src/core/call.ts';
import { watchedArm } from '../../../src/gateway/canary/assignment.ts';
import { noPermits, type Permits } from '../../../src/gateway/canary/permits.ts';
import { answer, startUpstream, type Upstream } from '../../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from '../gateway-kit.ts';
import { makePlan, makeSnapshot, openAiAt } from '../snapshot.ts';

let base: Upstream;
let other: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  base = await startUpstream(answer('base'));
  other = await startUpstream(answer('other'));
});
afterEach(() => gateway.close());
afterAll(() => Promise.all([base.close(), other.close()]));

interface Starting {
  readonly unit?: AbUnit;
  readonly shares?: readonly [number, number];
  readonly dropped?: boolean;
  readonly stopped?: boolean;
  readonly permitted?: boolean;
  readonly canary?: boolean;
  /** What the provider of the arm called warm speaks. */
  readonly endpoints?: readonly Endpoint[];
}

/** An experiment whose arm called warm answers from another target. */
async function start(options: Starting = {}): Promise<void> {
  const { unit = 'user', shares = [0.5, 0.5], dropped, stopped, permitted = true } = options;
  const provider = openAiAt(other.url);
  const spec = {
    version: 'v-main',
    targets: {
      base: base.url,
      other: { provider: { ...provider, endpoints: options.endpoints ?? provider.endpoints } },
    },
    agents: { default: { targets: ['base'] } },
  };
  const { targets } = makeSnapshot(spec);
  const plan = makePlan('default', 'v-warm', { targets: ['other'] }, targets, []);
  const permit = {
    id: 'tone@1/warm',
    agent: 'default',
    row: '',
    state: 'canary',
    epoch: 1,
  } as const;
  const arms = [
    { name: 'control', share: shares[0], plan: null, permit: null },
    {
      name: 'warm',
      share: shares[1],
      plan: dropped ? null : plan,
      permit: dropped ? null : permit,
    },
  ];
  const compiled: CompiledAb = { run: 'tone@1', unit, arms, stopped: stopped ? plan : null };
  const experiment = {
    id: 'exp_1',
    agent: 'default',
    row: 'mut_1',
    state: 'canary',
    epoch: 1,
  } as const;
  const permits: Permits = { ...noPermits, shareOf: () => (permitted ? 0.5 : 0) };
  const experiments = options.canary ? [{ experiment, plan }] : [];
  const snapshot = makeSnapshot({ ...spec, experiments, ab: [{ agent: 'default', compiled }] });
  gateway = await startGateway(snapshot, { permits });
}

/** The arms of so many users' calls, in their order. */
async function armsOf(users: number, headers: Record<string, string> = {}) {
  const arms: (string | null)[] = [];
  for (let user = 0; user < users; user += 1) {
    const response = await gateway.post(ask(), { 'x-user-id': `user-${user}`, ...headers });
    expect(response.status).toBe(200);
    arms.push(response.headers.get('x-hive-arm'));
  }
  return arms;
}

describe('assignAb', () => {
  test('serves each unit its arm, the same each time, and records it with its share', async () => {
    await start({ shares: [0.3, 0.4] });
    const arms = await armsOf(30);
    expect(new Set(arms)).toEqual(new Set(['tone@1/control', 'tone@1/warm', null]));
    expect(await armsOf(30)).toEqual(arms);
    for (const [index, arm] of arms.entries()) {
      const event = await gateway.event(index + 1);
      expect(event.served).toBe(arm === 'tone@1/warm' ? 'other' : 'base');
      expect(event.version).toBe(arm === 'tone@1/warm' ? 'v-warm' : 'v-main');
      if (arm === null) expect(event).toMatchObject({ experiment: null, arm: null, share: null });
      else
        expect(event).toMatchObject({
          experiment: 'tone@1',
          share: arm.endsWith('warm') ? 0.4 : 0.3,
        });
    }
  });

  test.each<[string, Starting, Record<string, string>]>([
    ['where an arm has no permit, control included', { permitted: false }, {}],
    ['of one that pins its target', {}, { 'x-hive-target': 'base' }],
    ['without the unit that is drawn', { unit: 'session' }, {}],
    ['of an endpoint that an arm does not serve', { endpoints: ['embeddings'] }, {}],
    ['of one that a stopped one’s arm does not serve', { stopped: true, endpoints: [] }, {}],
  ])('counts no call %s', async (_what, options, headers) => {
    await start(options);
    expect(new Set(await armsOf(10, headers))).toEqual(new Set([null]));
  });

  test('gives units of a dropped arm the agent as it is, and counts them no more', async () => {
    await start({ dropped: true });
    expect(new Set(await armsOf(20))).toEqual(new Set(['tone@1/control', null]));
    expect(gateway.events().every(({ served }) => served === 'base')).toBe(true);
  });

  test('serves all the arm that a stopped one says, and counts nobody', async () => {
    await start({ stopped: true });
    expect(new Set(await armsOf(5))).toEqual(new Set([null]));
    expect(await gateway.event()).toMatchObject({ served: 'other', version: 'v-warm', arm: null });
  });

  test('rests while the agent has a canary: no call is in two', async () => {
    await start({ canary: true });
    for (const arm of await armsOf(20)) expect(arm).toMatch(/^exp_1\/(canary|control)$/);
  });

  test('draws calls where they are the unit, whoever they are of', async () => {
    await start({ unit: 'call' });
    expect(new Set(await armsOf(20, { 'x-user-id': 'ann' })).size).toBe(2);
  });
});

test('watchedArm names what a permit is given for; control needs none', async () => {
  await start();
  expect(watchedArm('tone@1', 'warm')).toBe('tone@1/warm');
  expect(watchedArm('exp_1', 'canary')).toBe('exp_1');
  expect(watchedArm('tone@1', 'control')).toBeNull();
  expect(watchedArm(null, null)).toBeNull();
});
