import { describe, expect, test } from 'vitest';
import { loadsOf } from '../../src/oracle/loads.ts';
import { POLICY, segmentOf } from './kit.ts';

const segments = [
  segmentOf('duo', null, { calls: 90 }),
  segmentOf('duo', 'demo', { calls: 60 }),
  segmentOf('duo', 'elsewhere', { calls: 30 }),
  segmentOf('duo', null, { calls: 90, segment: { agent: 'duo', target: null, tenant: 'acme' } }),
];

describe('loadsOf', () => {
  const loads = loadsOf(POLICY, segments, new Map([['duo', { upper: 20, none: 70 }]]));
  const of = (kind: string, agent: string | null) =>
    loads.find((load) => load.kind === kind && load.agent === agent);

  test('loadsOf counts agents, also those that nobody came to', () => {
    expect(of('agent', null)).toEqual({
      kind: 'agent',
      agent: null,
      calls: { duo: 90, solo: 0 },
      expected: null,
    });
  });

  test('loadsOf counts an agent’s targets beside the shares that its weights give', () => {
    expect(of('target', 'duo')).toMatchObject({
      calls: { demo: 60, mini: 0, elsewhere: 30 },
      expected: { demo: 0.5, mini: 0.5 },
    });
    expect(of('target', 'solo')).toMatchObject({ calls: { demo: 0 }, expected: { demo: 1 } });
  });

  test('loadsOf expects nothing of a target that is a fallback only', () => {
    const { mini, ...targets } = POLICY.targets;
    const fallback = { ...targets, mini: { ...mini, provider: 'remote', fallback_only: true } };
    const [, load] = loadsOf({ ...POLICY, targets: fallback }, segments, new Map());
    expect(load?.expected).toEqual({ demo: 1, mini: 0 });
  });

  test('loadsOf counts adapters, also those that the providers have and nobody used', () => {
    expect(of('adapter', 'duo')).toMatchObject({ calls: { upper: 20, reverse: 0, none: 70 } });
    expect(of('adapter', 'solo')).toMatchObject({ calls: { upper: 0, reverse: 0, none: 0 } });
  });

  test('loadsOf names adapters that a provider lists by name alone', () => {
    const [name] = Object.keys(POLICY.providers) as [string];
    const provider = { ...POLICY.providers[name], adapters: ['shout'] } as never;
    const policy = { ...POLICY, providers: { ...POLICY.providers, [name]: provider } };
    const found = loadsOf(policy, segments, new Map()).filter(({ kind }) => kind === 'adapter');
    expect(found.some(({ calls }) => calls.shout === 0)).toBe(true);
    expect(found.every(({ calls }) => calls['0'] === undefined)).toBe(true);
  });
});
