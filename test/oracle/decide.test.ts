import { describe, expect, test } from 'vitest';
import type { Plan } from '../../src/core/oracle.ts';
import { confidenceIn, decide, type Situation } from '../../src/oracle/decide.ts';
import { ADAPTER_PATCH, findingFor, KINDS, mutationFor, POLICY, rowFor, testId } from './kit.ts';

function situation(change: Partial<Situation> = {}): Situation {
  return { policy: POLICY, kinds: KINDS, rows: [], open: [], ...change };
}

describe('decide', () => {
  test('decide proposes an adapter first, with what lies there now and what it expects', () => {
    const finding = findingFor('solo');
    const { mutations } = decide([finding], situation(), testId);
    expect(mutations).toHaveLength(1);
    expect(mutations[0]).toMatchObject({
      type: 'LORA_APPLY',
      agent: 'solo',
      touches: ['/agents/solo/adapter'],
      before: { '/agents/solo/adapter': 'none' },
      patch: ADAPTER_PATCH,
      primary: 'dissatisfied',
      risk: 'high',
      expected: -0.6,
      finding: finding.id,
    });
    expect(mutations[0]?.confidence?.value).toBe(0.5);
  });

  test('decide goes from adapters to prompts as each was tried, whatever its end', () => {
    const tried = ['upper', 'reverse'].map((adapter, index) => {
      const state = index === 0 ? ('rejected' as const) : ('withdrawn' as const);
      return rowFor(mutationFor({ agents: { solo: { adapter } } }), { state });
    });
    const { mutations } = decide([findingFor('solo')], situation({ rows: tried }), testId);
    expect(mutations[0]).toMatchObject({ type: 'PROMPT_PATCH' });
  });

  test('decide proposes once an agent, of its gravest finding that has something to try', () => {
    const findings = [
      findingFor('solo', { metric: 'error' }),
      findingFor('solo'),
      findingFor('duo'),
    ];
    const { mutations } = decide(findings, situation(), testId);
    expect(mutations.map(({ agent, finding }) => [agent, finding])).toEqual([
      ['solo', findings[1]?.id],
      ['duo', findings[2]?.id],
    ]);
  });

  test('decide proposes nothing beside an open plan or a live experiment, and says which', () => {
    const mutation = mutationFor(ADAPTER_PATCH);
    const plan: Plan = {
      id: 'plan_1',
      origin: 'oracle',
      state: 'needs_approval',
      created_ms: 0,
      expires_at: '',
      mutations: [mutation],
    };
    const open = decide([findingFor('solo')], situation({ open: [plan] }), testId);
    expect(open).toEqual({
      mutations: [],
      covered: ['plan_1'],
      withheld: [{ agent: 'solo', reason: 'plan plan_1 is open' }],
    });
    const rows = [rowFor(mutation, { state: 'paused' })];
    const live = decide([findingFor('solo')], situation({ rows }), testId);
    expect(live.mutations).toEqual([]);
    expect(live.withheld[0]?.reason).toContain(mutation.id);
  });

  test('decide is not kept from its work by a person’s plan, but does not propose the same', () => {
    const plan: Plan = {
      id: 'plan_1',
      origin: 'person',
      state: 'needs_approval',
      created_ms: 0,
      expires_at: '',
      mutations: [mutationFor(ADAPTER_PATCH)],
    };
    const beside = decide([findingFor('solo')], situation({ open: [plan] }), testId);
    expect(beside.mutations[0]?.patch).toEqual({ agents: { solo: { adapter: 'reverse' } } });
    const approved = { ...plan, state: 'approved' as const };
    const after = decide([findingFor('solo')], situation({ open: [approved] }), testId);
    expect(after).toMatchObject({ mutations: [], covered: [] });
  });

  test('decide says so where nothing is left to try', () => {
    const { mutations, withheld } = decide(
      [findingFor('solo', { metric: 'error' })],
      situation(),
      testId,
    );
    expect(mutations).toEqual([]);
    expect(withheld).toEqual([{ agent: 'solo', reason: 'no strategy has anything left to try' }]);
  });
});

describe('confidenceIn', () => {
  test('confidenceIn learns from ends only: in force is a success, taken back is none', () => {
    const of = (state: 'applied' | 'withdrawn' | 'canary' | 'rejected') => ({
      type: 'LORA_APPLY' as const,
      agent: 'solo',
      state,
    });
    expect(confidenceIn('LORA_APPLY', [of('canary'), of('rejected')]).value).toBe(0.5);
    expect(confidenceIn('LORA_APPLY', [of('applied'), of('applied')]).value).toBe(0.75);
    expect(confidenceIn('LORA_APPLY', [of('applied'), of('withdrawn')]).value).toBe(0.5);
    expect(confidenceIn('PROMPT_PATCH', [of('applied')]).value).toBe(0.5);
    const moved = { type: 'PROMPT_PATCH' as const, agent: '*', state: 'applied' as const };
    expect(confidenceIn('PROMPT_PATCH', [moved]).value).toBe(0.5);
  });
});
