import { expect, test } from 'vitest';
import type { Load } from '../../../src/core/observation.ts';
import { definition } from '../../../src/oracle/detectors/usage-pattern.ts';
import { cell, detectWith, observed, toldOf } from '../observation.ts';

const detect = (loads: readonly Load[], past: Parameters<typeof observed>[1] = []) =>
  detectWith(definition, observed([cell(null, 'error', 0, 1000)], past, { loads }));

test('usage-pattern names a target far below its weight, and how uneven the load is', () => {
  const load: Load = {
    kind: 'target',
    agent: 'duo',
    calls: { demo: 950, mini: 50 },
    expected: { demo: 0.5, mini: 0.5 },
  };
  const result = detect([load]);
  expect(toldOf(result)).toEqual(['mini load investigate']);
  expect(result.findings[0]?.text).toMatch(/5\.0 % .* against 50\.0 % by the policy’s weights/);
  expect(result.findings[0]?.text).toMatch(/Gini 0\.45, coefficient of variation 0\.90\.$/);
});

test('usage-pattern lets a load stand that its weights explain, or that is small', () => {
  const fair = { kind: 'target', agent: 'duo', calls: { demo: 780, mini: 220 } } as const;
  expect(detect([{ ...fair, expected: { demo: 0.8, mini: 0.2 } }]).findings).toEqual([]);
  const small = { kind: 'target', agent: 'duo', calls: { demo: 40, mini: 0 } } as const;
  expect(detect([{ ...small, expected: { demo: 0.5, mini: 0.5 } }]).findings).toEqual([]);
});

test('usage-pattern notes adapters nobody uses and an agent nobody calls any more', () => {
  const adapters: Load = {
    kind: 'adapter',
    agent: 'duo',
    calls: { upper: 0, reverse: 0 },
    expected: null,
  };
  const agents: Load = {
    kind: 'agent',
    agent: null,
    calls: { duo: 1000, solo: 0, idle: 0 },
    expected: null,
  };
  const solo = { ...cell(null, 'error', 0, 7000), segment: { agent: 'solo', target: null } };
  const { findings } = detect([adapters, agents], [solo]);
  expect(findings.map(({ segment, level }) => `${segment.agent} ${level}`)).toEqual([
    'duo note',
    'solo note',
  ]);
  expect(findings[0]?.text).toBe(
    'Adapters upper and reverse of agent duo answered none of its 1,000 calls.',
  );
  expect(findings[1]?.text).toMatch(
    /^Nobody calls agent solo any more: .* 1,000 were to be expected/,
  );
});
