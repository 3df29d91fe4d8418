import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../../../src/store/open.ts';
import { countSamples } from '../../../src/store/prompt-samples.ts';
import { emptyStore, openTestStore } from '../../kit/store.ts';
import { answer, by, delayed, startUpstream, type Upstream } from '../../kit/upstream.ts';
import { HOUR_MS } from '../world.ts';
import {
  ADVICE,
  createProposalsWorld,
  isJudging,
  isReflection,
  modelThat,
  policyWith,
  QUESTIONS,
} from './proposals-world.ts';

let store: Store;
let upstream: Upstream;

beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());
beforeEach(async () => {
  await emptyStore(store);
  upstream = await startUpstream();
});
afterEach(() => upstream.close());

async function begin(policy = policyWith(), held_out = 20) {
  const made = createProposalsWorld(store, policy, upstream);
  await made.said('reflect', QUESTIONS.slice(0, 4));
  await made.said('held_out', QUESTIONS.slice(4, 4 + held_out));
  return made;
}

describe('proposals', () => {
  test('proposals go from the worst calls over held-out pairs to a plan', async () => {
    upstream.script(modelThat(ADVICE));
    const { world, proposals } = await begin();
    await proposals.tick();
    const [first] = await proposals.list();
    expect(first).toMatchObject({ state: 'passed', pairs: { win: 12, loss: 0, tie: 0 } });
    expect(first?.base).toEqual({ name: 'tone', version: 1, digest: 'd1' });
    await proposals.tick();
    const [planned] = await proposals.list();
    expect(planned).toMatchObject({ state: 'planned', prompt: 'tone@3', plan_state: 'proposed' });
    const shown = await proposals.show(String(planned?.id));
    expect(shown.lines).toEqual(
      expect.arrayContaining(['system.append', '  Be brief.', `  ${ADVICE}`, 'author: "oracle"']),
    );
    await world.oracle.tick();
    const [plan] = await world.oracle.plans('needs_approval');
    expect(plan?.id).toBe(planned?.plan);
    expect(plan?.mutations[0]).toMatchObject({
      type: 'PROMPT_PATCH',
      agent: 'duo',
      patch: { agents: { duo: { prompt: 'tone@3' } } },
      risk: 'high',
    });
    // Every call was marked as our own, asked as the agent, at the target that had served.
    for (const { headers, system } of upstream.calls) {
      expect(headers['x-hive-oracle']).toBe('token-of-ours');
      expect(headers['x-agent-id']).toBe('duo');
      expect(headers['x-hive-target']).toBe(system.startsWith('You improve') ? 'mini' : 'demo');
    }
    const calls = upstream.calls.length;
    await proposals.tick();
    expect(upstream.calls).toHaveLength(calls);
    expect((await proposals.status()).agents.duo).toMatch(
      /^plan plan_.* is open; the next reflection/,
    );
  });

  test('proposals reflect on one half of the units and check on the other', async () => {
    upstream.script(modelThat(ADVICE));
    const { proposals } = await begin();
    await proposals.tick();
    const [reflection, ...answers] = upstream.calls;
    expect(reflection && isReflection(reflection)).toBe(true);
    for (const question of QUESTIONS.slice(0, 4)) {
      expect(reflection?.user).toContain(JSON.stringify(question));
      expect(answers.some(({ user }) => user === question)).toBe(false);
    }
    for (const question of QUESTIONS.slice(4, 24)) expect(reflection?.user).not.toContain(question);
    const mark = /<data ([0-9a-f-]{36})>/.exec(reflection?.user ?? '')?.[1];
    expect(reflection?.system).toContain(`data ${mark}`);
  });

  test('proposals that make answers worse end early; equal ones show nothing', async () => {
    const worse = by((request) => {
      return answer(request.system.includes(ADVICE) ? 'Yes.' : 'Yes, because it is.');
    });
    upstream.script(modelThat(ADVICE, worse));
    const { proposals } = await begin();
    await proposals.tick();
    expect((await proposals.list())[0]).toMatchObject({ state: 'worse', pairs: { loss: 7 } });

    await emptyStore(store);
    upstream.script(modelThat(ADVICE, answer('Yes.')));
    const again = await begin(policyWith({ pairs_max: 14 }));
    await again.proposals.tick();
    expect((await again.proposals.list())[0]).toMatchObject({ state: 'no_difference' });
  });

  test('proposals wait for more held-out calls, and give up in the end', async () => {
    upstream.script(modelThat(ADVICE));
    const { world, proposals, said } = await begin(policyWith(), 5);
    await proposals.tick();
    const [short] = await proposals.list();
    expect(short).toMatchObject({ state: 'checking', pairs: { win: 5 } });
    expect(short?.reason).toMatch(/^not enough data yet: 5 pairs of at least 12/);
    const before = upstream.calls.length;
    await said('held_out', QUESTIONS.slice(10, 18));
    await proposals.tick();
    expect((await proposals.list())[0]).toMatchObject({ state: 'passed', pairs: { win: 12 } });
    // What had been compared was not asked again.
    expect(upstream.calls.length - before).toBe(14);

    await emptyStore(store);
    const late = await begin(policyWith(), 5);
    await late.proposals.tick();
    late.world.now_ms += 15 * 24 * HOUR_MS;
    await late.proposals.tick();
    expect((await late.proposals.list())[0]).toMatchObject({ state: 'insufficient' });
    expect(world.now_ms).toBeLessThan(late.world.now_ms);
  });

  test('proposals ask a judge twice, with the answers in either order', async () => {
    const judged = by((request) => {
      if (!isJudging(request)) {
        return answer(request.system.includes(ADVICE) ? 'A warm answer.' : 'A cold answer.');
      }
      const first = request.user.indexOf('warm') < request.user.indexOf('cold');
      return answer(JSON.stringify({ better: first ? 1 : 2 }));
    });
    upstream.script(modelThat(ADVICE, judged));
    const { proposals } = await begin(policyWith({ judge: 'bad', checks: [] }));
    await proposals.tick();
    expect((await proposals.list())[0]).toMatchObject({ state: 'passed', pairs: { win: 12 } });
    expect(upstream.calls.filter(isJudging)).toHaveLength(24);

    // A judge that always prefers the first says nothing.
    await emptyStore(store);
    const partial = by((request) => answer(isJudging(request) ? '{"better":1}' : request.system));
    upstream.script(modelThat(ADVICE, partial));
    const again = await begin(policyWith({ judge: 'bad', checks: [], pairs_max: 14 }));
    await again.proposals.tick();
    expect((await again.proposals.list())[0]).toMatchObject({
      state: 'no_difference',
      // Then not even winning all that are left would tell.
      pairs: { win: 0, loss: 0, tie: 8 },
    });
  });

  test('proposals keep the front over days, and hand the best one over', async () => {
    const slow = 'Explain every result at great length, from the very beginning.';
    let told = slow;
    upstream.script(
      by((request) => {
        if (isReflection(request)) {
          return answer(JSON.stringify({ ops: [{ op: 'system.append', text: told }] }));
        }
        if (request.system.includes(ADVICE)) return answer('Yes, because it is.');
        if (!request.system.includes(slow)) return answer('Yes.');
        return delayed(30, answer(`Because of this. ${'And so on. '.repeat(40)}`));
      }),
    );
    const { world, proposals } = await begin(policyWith({ every_hours: 2 }));
    const patch = { agents: { duo: { prompt: 'tone@2' } } };
    const open = await world.oracle.plan({
      mutations: [{ type: 'PROMPT_PATCH', agent: 'duo', patch }],
    });
    await proposals.tick();
    await proposals.tick();
    expect((await proposals.list())[0]).toMatchObject({ state: 'passed' });
    expect((await proposals.status()).agents.duo).toMatch(/has passed and waits; plan .* is open/);
    told = ADVICE;
    world.now_ms += 3 * HOUR_MS;
    await proposals.tick();
    const both = await proposals.list();
    expect(both.map(({ state }) => state)).toEqual(['passed', 'passed']);
    expect(both[0]?.point?.tokens).toBeLessThan(both[1]?.point?.tokens ?? 0);
    await world.oracle.reject(open.id, 'ada', null).catch(() => null);
    await proposals.tick();
    expect((await proposals.list()).map(({ state }) => state)).toEqual(['planned', 'dominated']);
  });

  test('proposals made from a prompt that is gone are stale', async () => {
    upstream.script(modelThat(ADVICE));
    const { world, proposals } = await begin(policyWith(), 5);
    await proposals.tick();
    const { agents } = world.policy;
    const duo = { ...agents.duo, prompt: 'tone@2' } as NonNullable<typeof agents.duo>;
    world.policy = { ...world.policy, agents: { ...agents, duo } };
    await proposals.tick();
    expect((await proposals.list())[0]).toMatchObject({ state: 'stale' });
  });

  test('proposals ask no model where nothing could come of it, or nobody wants it', async () => {
    upstream.script(modelThat(ADVICE));
    const { world, proposals } = await begin();
    const on = world.policy;
    const { proposals: _off, ...oracle } = on.oracle;
    world.policy = { ...on, oracle };
    await proposals.tick();
    expect((await proposals.status()).state).toBe('off');
    world.policy = { ...on, switches: { ...on.switches, oracle: false } };
    await proposals.tick();
    expect((await proposals.status()).state).toBe('paused');
    world.policy = { ...on, oracle: { ...on.oracle, bounds: {} } };
    await proposals.tick();
    expect((await proposals.status()).agents.duo).toMatch(/^no bound/);
    const bounds = { '/agents/*/prompt': { candidates: ['tone@2'] } };
    world.policy = { ...on, oracle: { ...on.oracle, bounds } };
    await proposals.tick();
    expect((await proposals.status()).agents.duo).toMatch(/tone@proposed is not among/);
    world.policy = on;
    world.frozen = true;
    await proposals.tick();
    expect((await proposals.status()).state).toBe('paused');
    expect(upstream.calls).toEqual([]);
  });

  test('proposals see the calls of one tenant only, and need some units', async () => {
    upstream.script(modelThat(ADVICE));
    const { proposals, said } = createProposalsWorld(store, policyWith(), upstream);
    await said('reflect', ['Only one of acme?', 'Another of acme?'], { tenant: 'acme' });
    await said('reflect', QUESTIONS.slice(0, 2));
    await proposals.tick();
    expect((await proposals.status()).agents.duo).toMatch(/^2 of 3 units/);
    await said('reflect', QUESTIONS.slice(2, 4));
    await proposals.tick();
    expect(upstream.calls[0]?.user).toContain(String(QUESTIONS[3]));
    expect(upstream.calls[0]?.user).not.toContain('acme');
  });

  test('proposals delete samples where the policy keeps none, and on demand', async () => {
    const { world, proposals } = await begin();
    await proposals.flush();
    const [sample] = await countSamples(store.db);
    expect(sample).toBeDefined();
    expect(await proposals.forget({ tenant: 'default', user: 'nobody' })).toEqual({ deleted: 0 });
    const { bodies: _off, ...capture } = world.policy.capture;
    world.policy = { ...world.policy, capture };
    await proposals.tick();
    expect(await countSamples(store.db)).toEqual([]);
  });
});
