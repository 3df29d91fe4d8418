import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { armAgent, armPolicy, runIdOf } from '../../../src/core/ab/arm-policy.ts';
import {
  type AbEntry,
  armsOf,
  drawArm,
  isRunId,
  treatmentsOf,
  unitOfCall,
} from '../../../src/core/ab/entry.ts';
import { POLICY } from '../../oracle/kit.ts';
import { entryOf } from './traffic.ts';

const call = { id: 'call_1', unit: 'u:ann', user: 'ann', session: 'desk' };

describe('drawArm', () => {
  const arms = [
    { name: 'control', share: 0.5 },
    { name: 'a', share: 0.3 },
    { name: 'b', share: 0.1 },
  ];

  test('gives each arm its share of units, and the rest to none', () => {
    const counts = new Map<string, number>();
    for (let unit = 0; unit < 20_000; unit += 1) {
      const name = drawArm('tone@00000000', `u:${unit}`, arms)?.name ?? 'none';
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    const shares = { control: 0.5, a: 0.3, b: 0.1, none: 0.1 };
    for (const [name, share] of Object.entries(shares)) {
      const deviation = Math.abs((counts.get(name) ?? 0) - 20_000 * share);
      expect(deviation).toBeLessThan(4 * Math.sqrt(20_000 * share * (1 - share)));
    }
  });

  test('keeps a unit in its arm for ever, and draws anew for another run', () => {
    fc.assert(
      fc.property(fc.string(), (unit) => {
        expect(drawArm('tone@a', unit, arms)).toBe(drawArm('tone@a', unit, arms));
      }),
      { seed: 1 },
    );
    const moved = Array.from({ length: 1000 }, (_, unit) => `u:${unit}`).filter(
      (unit) => drawArm('tone@a', unit, arms) !== drawArm('tone@b', unit, arms),
    );
    // Independent draws agree where both fall alike: .25 + .09 + .01 + .01.
    expect(moved.length).toBeGreaterThan(580);
    expect(moved.length).toBeLessThan(700);
  });

  test('leaves nobody out where the shares are one but for rounding', () => {
    const tenths = Array.from({ length: 10 }, (_, index) => ({ name: `${index}`, share: 0.1 }));
    fc.assert(
      fc.property(fc.string(), (unit) => drawArm('x@1', unit, tenths) !== null),
      { seed: 2 },
    );
  });
});

describe('unitOfCall', () => {
  test('is what the experiment draws, and nothing where the call does not name it', () => {
    expect(unitOfCall('auto', call)).toBe('u:ann');
    expect(unitOfCall('user', call)).toBe('u:ann');
    expect(unitOfCall('session', call)).toBe('s:desk');
    expect(unitOfCall('call', call)).toBe('r:call_1');
    const nameless = { ...call, unit: 'c:talk', user: null, session: null };
    expect(unitOfCall('auto', nameless)).toBe('c:talk');
    expect(unitOfCall('user', nameless)).toBeNull();
    expect(unitOfCall('session', nameless)).toBeNull();
  });
});

describe('armsOf', () => {
  test('puts control first and the rest by name, in whatever order they are written', () => {
    const arms = { zeta: { share: 0.1 }, alpha: { share: 0.1 }, control: { share: 0.8 } };
    expect(armsOf({ arms }).map(([name]) => name)).toEqual(['control', 'alpha', 'zeta']);
    expect(treatmentsOf({ arms })).toEqual(['alpha', 'zeta']);
  });
});

describe('runIdOf', () => {
  const id = (over: Partial<AbEntry>, prompts = POLICY.prompts): string =>
    runIdOf('tone', entryOf(over), prompts);
  const plain = id({});

  test('names the run by the experiment and what it is', () => {
    expect(plain).toMatch(/^tone@[0-9a-f]{8}$/);
    expect(isRunId(plain)).toBe(true);
    expect(isRunId('exp_00000000-0000-7000-8000-000000000000')).toBe(false);
  });

  test('is another where arms, unit, metric, guardrails, alpha or its number are', () => {
    const others = [
      id({ agent: 'other' }),
      id({ unit: 'session' }),
      id({ metric: 'rating' }),
      id({ guardrails: { latency: 0.1 } }),
      id({ run: 2 }),
      id({ arms: { control: { share: 0.4 }, friendly: { share: 0.5, set: {} } } }),
      id({ stop: { ...entryOf().stop, alpha: 0.01 } }),
    ];
    expect(new Set([plain, ...others]).size).toBe(others.length + 1);
  });

  test('stays where only its end, or what is told beside it, is edited', () => {
    const stop = { ...entryOf().stop, units_min: 7, units_max: 9, days_max: 3, min_effect: 0.2 };
    expect(id({ stop, also: ['cost'], at_end: 'propose', on_stop: 'friendly' })).toBe(plain);
  });

  test('is another where the label of an arm’s prompt has moved', () => {
    const arms = { control: { share: 0.5 }, warm: { share: 0.5, set: { prompt: 'tone' } } };
    const { tone } = POLICY.prompts;
    const moved = { tone: { versions: tone?.versions ?? {}, labels: { production: 2 } } };
    expect(id({ arms })).not.toBe(id({ arms }, moved));
  });
});

describe('armAgent', () => {
  const duo = POLICY.agents.duo as NonNullable<(typeof POLICY.agents)['duo']>;

  test('replaces targets, prompt and adapter, and lays params and options over the agent’s', () => {
    const agent = { ...duo, params: { top_p: 1, temperature: 0 }, plugins: { cache: { a: 1 } } };
    const set = {
      targets: { mini: 1 },
      prompt: 'tone@2',
      adapter: 'upper',
      params: { temperature: 1 },
      plugins: { cache: { b: 2 } },
    };
    expect(armAgent(agent, set)).toEqual({
      ...agent,
      targets: { mini: 1 },
      fallbacks: { any: ['demo'] },
      prompt: 'tone@2',
      adapter: 'upper',
      params: { top_p: 1, temperature: 1 },
      plugins: { cache: { a: 1, b: 2 } },
    });
  });

  test('puts the agent’s targets behind an arm’s own, after the fallbacks that it has', () => {
    const agent = { ...duo, fallbacks: { any: ['bad', 'mini'], context_length: ['bad'] } };
    expect(armAgent(agent, { targets: { mini: 1 } }).fallbacks).toEqual({
      context_length: ['bad'],
      any: ['bad', 'demo'],
    });
    expect(armAgent(agent, { adapter: 'upper' }).fallbacks).toEqual(agent.fallbacks);
  });

  test('takes the prompt off where it is null, and leaves all else', () => {
    expect(armAgent(duo, { prompt: null })).not.toHaveProperty('prompt');
    expect(armAgent(duo)).toEqual(duo);
  });

  test('armPolicy changes the experiment’s agent and no other', () => {
    const entry = entryOf({ agent: 'duo' });
    const changed = armPolicy(POLICY, entry, 'friendly');
    expect(changed.agents.duo?.prompt).toBe('tone@2');
    expect(changed.agents.solo).toBe(POLICY.agents.solo);
    expect(armPolicy(POLICY, entry, 'control')).toBe(POLICY);
  });
});
