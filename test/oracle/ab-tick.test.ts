import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AbEntry } from '../../src/core/ab/entry.ts';
import type { Policy } from '../../src/core/policy.ts';
import type { Store } from '../../src/store/open.ts';
import { entryOf } from '../core/ab/traffic.ts';
import { emptyStore, openTestStore } from '../kit/store.ts';
import { serveAb } from './ab-traffic.ts';
import { ADAPTER_PATCH, POLICY } from './kit.ts';
import { createWorld, HOUR_MS, MINUTE_MS, unhappyTraffic, type World } from './world.ts';

let store: Store;
let world: World;

const ARMS = { control: { share: 0.5 }, kind: { share: 0.5, set: { prompt: 'tone@2' } } };
const withEntry = (over: Partial<AbEntry> = {}): Policy => ({
  ...POLICY,
  experiments: {
    tone: entryOf({
      agent: 'solo',
      arms: ARMS,
      ...over,
      stop: { ...entryOf().stop, units_min: 20, hours_min: 1, ...over.stop },
    }),
  },
});

beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());
beforeEach(async () => {
  await emptyStore(store);
  world = createWorld(store, withEntry());
});

const tend = () => world.oracle.tendExperiments();
const show = (name = 'tone') => world.oracle.experiments.show(name);
const permitted = () => world.permits().map(({ experiment }) => experiment.replace(/@\w+/, ''));

/** Users whom the arm called kind pleases; then the time that feedback takes to mature. */
async function serveKindly(users: number, first = 0): Promise<void> {
  const visit = (arm: string, user: number) => ({
    rating: arm === 'control' ? 1 + (user % 3) : 4 + (user % 2),
  });
  await serveAb(world, { name: 'tone', users, first, over_ms: HOUR_MS, visit });
  world.now_ms += 31 * MINUTE_MS;
}

describe('a run', () => {
  test('begins with the policy, is permitted arm by arm, and ends with its winner', async () => {
    expect(await show()).toMatchObject({ state: 'waiting', serves: 'control' });
    await tend();
    expect(permitted()).toEqual(['tone/kind']);
    expect(await show()).toMatchObject({ state: 'running', serves: 'arms', serves_why: null });
    await serveKindly(20);
    await tend();
    expect(await show()).toMatchObject({ state: 'running' });
    await serveKindly(200, 20);
    await tend();
    const ended = await show();
    expect(ended).toMatchObject({
      state: 'stopped',
      verdict: { kind: 'winner', arm: 'kind' },
      serves: 'control',
      serves_why: 'it has stopped',
      plan: null,
    });
    expect(ended.sentence).toMatch(/^kind is better: dissatisfied units −/);
    expect(ended.arms.reduce((sum, { units }) => sum + units, 0)).toBe(220);
    expect(permitted()).toEqual([]);
    expect(world.state().ab).toMatchObject([{ state: 'stopped' }]);
    expect(await world.oracle.plans(null)).toEqual([]);
    await tend();
    expect((await show()).report).toEqual(ended.report);
  });

  test('is found by the oracle once it has a winner, and made nothing of', async () => {
    await tend();
    const found = async () => {
      const { findings } = await world.oracle.analyze({});
      return findings.filter(({ detector }) => detector === 'best-arm');
    };
    expect(await found()).toEqual([]);
    await serveKindly(220);
    await tend();
    const [finding] = await found();
    expect(finding).toMatchObject({
      metric: 'experiment',
      segment: { agent: 'solo', target: null },
      level: 'note',
      direction: 'better',
    });
    expect(finding?.text).toMatch(/arm kind of experiment tone@\w+ is proven better than control/);
    // Seen again it is the same finding, and neither a cycle nor a person makes a plan of it.
    expect((await found())[0]?.key).toBe(finding?.key);
    expect((await world.oracle.tick()).state).toBe('done');
    expect((await world.oracle.plan({ findings: [finding] })).mutations).toEqual([]);
    // What a cycle plans is its own: control's users are displeased, and that is another finding.
    const planned = (await world.oracle.plans(null)).flatMap(({ mutations }) => mutations);
    expect(planned.filter(({ patch }) => JSON.stringify(patch).includes('tone@2'))).toEqual([]);
    expect(planned.filter(({ why }) => why?.includes('proven'))).toEqual([]);
    world.policy = { ...POLICY, experiments: {} };
    await tend();
    expect(await found()).toEqual([]);
  });

  test('proposes its winner to a person where it is asked to, and does no more', async () => {
    world.policy = withEntry({ at_end: 'propose' });
    await tend();
    await serveKindly(220);
    await tend();
    const { plan: id } = await show();
    const [plan] = await world.oracle.plans('needs_approval');
    expect(plan).toMatchObject({
      id,
      origin: 'person',
      mutations: [
        {
          type: 'PROMPT_PATCH',
          agent: 'solo',
          patch: { agents: { solo: { prompt: 'tone@2' } } },
          primary: 'dissatisfied',
        },
      ],
    });
    await world.oracle.tick();
    expect(await world.oracle.canaries()).toEqual([]);
    await world.oracle.approve(plan?.id ?? '', 'ada', null);
    await world.oracle.tick();
    expect(await world.oracle.canaries()).toMatchObject([{ agent: 'solo', state: 'canary' }]);
  });

  test('says why no plan was made where the bounds would refuse it', async () => {
    const arms = { control: { share: 0.5 }, kind: { share: 0.5, set: { params: { top_k: 3 } } } };
    world.policy = withEntry({ at_end: 'propose', arms });
    await tend();
    await serveKindly(220);
    await tend();
    expect(await show()).toMatchObject({ plan: null, verdict: { kind: 'winner' } });
    expect((await show()).no_plan).toContain('no bound of oracle_policies.yaml');
  });

  test('goes with the policy, and goes on where it was if put back', async () => {
    await tend();
    await serveKindly(20);
    const { run } = await show();
    world.policy = POLICY;
    await tend();
    expect(await show()).toMatchObject({
      run,
      state: 'removed',
      serves_why: 'it is not in the policy',
    });
    expect(world.state().ab).toBeUndefined();
    world.policy = withEntry();
    await tend();
    expect(await show()).toMatchObject({ run, state: 'running' });
    expect((await show()).arms.reduce((sum, { units }) => sum + units, 0)).toBe(20);
  });

  test('is another after an edit of what it claims, but not of its end', async () => {
    await tend();
    const { run } = await show();
    world.policy = withEntry({ stop: { ...entryOf().stop, units_max: 77 }, also: ['rating'] });
    await tend();
    expect(await show()).toMatchObject({ run, entry: { stop: { units_max: 77 } } });
    world.policy = withEntry({ metric: 'rating' });
    await tend();
    const next = await show();
    expect(next.run).not.toBe(run);
    expect(await show(run)).toMatchObject({ state: 'removed' });
    expect(permitted()).toEqual(['tone/kind']);
  });

  test('is ended by a person, once, and stays so', async () => {
    await tend();
    const { run } = await world.oracle.experiments.stop('tone', 'ada', 'enough');
    const stopped = await show();
    expect(stopped).toMatchObject({ run, verdict: { kind: 'manual' } });
    expect(stopped.sentence).toBe('stopped by ada: enough');
    await world.oracle.experiments.stop('tone', 'bob', null);
    await tend();
    expect((await show()).sentence).toBe('stopped by ada: enough');
    await expect(world.oracle.experiments.stop('tune', null, null)).rejects.toThrow(
      'There is no experiment tune.',
    );
    const again = createWorld(store, withEntry());
    await again.oracle.tendExperiments();
    expect(await again.oracle.experiments.show('tone')).toMatchObject({ state: 'stopped' });
  });

  test('adds up nothing where there is no experiment, and asks the store for nothing', async () => {
    world.policy = POLICY;
    await tend();
    const epoch = world.state()?.epoch;
    await tend();
    expect(world.state()?.epoch).toBe(epoch);
    expect(await world.oracle.experiments.list()).toEqual([]);
  });
});

describe('what the gateway withholds', () => {
  const withheld = async (arm: string, cause: 'expired' | 'trigger', epoch = 1): Promise<void> => {
    const { run } = await show();
    const experiment = `${run}/${arm}`;
    const reason = 'errors 40 %';
    const at_ms = world.now_ms;
    const told = {
      type: 'canary.withheld',
      v: 1,
      at_ms,
      experiment,
      epoch,
      cause,
      reason,
    } as const;
    await world.oracle.onWithheld(told);
  };

  test('for a hard trigger is an arm less, and with the last arm the end', async () => {
    const arms = {
      control: { share: 0.4 },
      kind: { share: 0.3, set: { prompt: 'tone@2' } },
      brief: { share: 0.3, set: { prompt: 'tone@1' } },
    };
    world.policy = withEntry({ arms });
    await tend();
    await withheld('kind', 'trigger');
    await withheld('kind', 'trigger');
    expect(permitted()).toEqual(['tone/brief']);
    expect(world.state().ab).toMatchObject([{ state: 'running', dropped: ['kind'] }]);
    await withheld('brief', 'trigger');
    expect(await show()).toMatchObject({ state: 'stopped', verdict: { kind: 'harm' } });
    expect((await show()).sentence).toContain('the gateway’s trigger, errors 40 %');
  });

  test('for an expired permit goes on with permits of a higher epoch', async () => {
    await tend();
    await withheld('kind', 'expired');
    await withheld('kind', 'expired');
    expect(world.permits()).toMatchObject([{ epoch: 2, share: 0.5 }]);
    expect(await show()).toMatchObject({ state: 'running' });
  });
});

describe('experiments and canaries', () => {
  test('the oracle plans nothing for an agent in one, and no plan passes', async () => {
    await tend();
    await unhappyTraffic(world);
    const { stages } = await world.oracle.tick();
    expect(stages.decide).toMatchObject({ made: [] });
    expect(JSON.stringify(stages.decide)).toContain('the A/B experiment tone is live');
    const plan = await world.oracle.plan({
      mutations: [{ type: 'LORA_APPLY', agent: 'solo', patch: ADAPTER_PATCH }],
    });
    await world.oracle.approve(plan.id, 'ada', null);
    await expect(world.oracle.execute(plan, { dry_run: false })).rejects.toThrow(
      'agent solo is in the A/B experiment tone',
    );
  });

  test('an experiment waits for the canary of its agent to end', async () => {
    world.policy = POLICY;
    const plan = await world.oracle.plan({
      mutations: [{ type: 'LORA_APPLY', agent: 'solo', patch: ADAPTER_PATCH }],
    });
    await world.oracle.approve(plan.id, 'ada', null);
    const { mutations } = await world.oracle.execute(plan, { dry_run: false });
    world.policy = withEntry();
    await tend();
    const waiting = await show();
    expect(waiting.state).toBe('waiting');
    expect(waiting.sentence).toContain('comes first');
    const rollback_key = mutations[0]?.rollback_key ?? '';
    await world.oracle.rollback({ rollback_key, emergency: false });
    await tend();
    expect(await show()).toMatchObject({ state: 'running' });
  });
});
