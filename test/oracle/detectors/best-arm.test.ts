import { expect, test } from 'vitest';
import type { ProvenBest } from '../../../src/core/observation.ts';
import { definition } from '../../../src/oracle/detectors/best-arm.ts';
import { detectWith, NOW_MS, observed } from '../observation.ts';

const arm: ProvenBest = {
  metric: 'experiment',
  kind: 'arm',
  segment: { agent: 'duo', target: null },
  subject: 'kind of experiment tone@3f1c09aa',
  of: 'dissatisfied units',
  measure: 'share',
  value: 0.1,
  against: { name: 'control', value: 0.2 },
  interval: [0.06, 0.16],
  alpha: 0.025,
  e: 4321,
  p: 1 / 4321,
  n: 1200,
  units: 2400,
  since_ms: NOW_MS - 1000,
  done: 'Nothing was changed: the experiment only reports (`at_end: report`).',
};
const route: ProvenBest = {
  ...arm,
  metric: 'route',
  kind: 'target',
  segment: { agent: 'duo', target: 'mini', category: 'code' },
  subject: 'mini',
  of: 'reward (success)',
  measure: 'index',
  value: 0.812345,
  against: { name: 'demo', value: 0.5 },
  interval: [0.6, 0.97],
  alpha: 0.05,
  e: 2e9,
  p: 5e-10,
  n: 900,
  units: 900,
  since_ms: null,
  done: 'It gets all calls but the floors (`on_proven: exploit`).',
};
const detect = (...proven: ProvenBest[]) => detectWith(definition, observed([], [], { proven }));

test('best-arm tells of a proven arm: how much better, how surely, of how many', () => {
  const { findings, insufficient } = detect(arm);
  expect(insufficient).toEqual([]);
  expect(findings).toMatchObject([
    {
      segment: { agent: 'duo', target: null },
      metric: 'experiment',
      estimate: 0.1,
      interval: [0.06, 0.16],
      yardstick: { kind: 'control', value: 0.2 },
      e: 4321,
      n: 1200,
      units: 2400,
      since_ms: NOW_MS - 1000,
      severity: 'info',
    },
  ]);
  expect(findings[0]?.effect).toBeCloseTo(-0.1, 12);
  expect(findings[0]?.text).toBe(
    'Of agent duo the arm kind of experiment tone@3f1c09aa is proven better than control: ' +
      'dissatisfied units 10.0 %, against 20.0 % in control at the same time. 97.5 % confidence ' +
      'sequence 6.0 % to 16.0 %, e-value 4,321, from 1,200 units that count for it, of 2,400; ' +
      'all three hold at every look. ' +
      'Nothing was changed: the experiment only reports (`at_end: report`).',
  );
  expect(findings[0]?.disproof).toMatch(/^Wrong if its canary, or .* does not show it again\./);
});

test('best-arm tells of a router’s proven target by its category, and of the next best', () => {
  const [finding] = detect(route).findings;
  expect(finding?.text).toBe(
    'Target mini of agent duo (category code) is proven to be the best by reward (success): ' +
      '0.812 a call, against 0.5 of demo, the next. 95 % confidence sequence 0.6 to 0.97, ' +
      'e-value > 1,000,000, from 900 units; all three hold at every look. ' +
      'It gets all calls but the floors (`on_proven: exploit`).',
  );
  expect(finding).toMatchObject({ metric: 'route', yardstick: { kind: 'peers', value: 0.5 } });
  expect(finding?.since_ms).toBe(NOW_MS);
});

test('best-arm tells whether a router that looks at calls pays, or one target is enough', () => {
  const pays: ProvenBest = {
    ...route,
    kind: 'context',
    segment: { agent: 'duo', target: null },
    subject: 'strategy linucb',
    value: 0.121,
    against: { name: 'always mini', value: 0 },
    interval: [0.05, 0.19],
    e: 5000,
  };
  const single: ProvenBest = {
    ...pays,
    kind: 'single',
    segment: { agent: 'duo', target: 'mini' },
    subject: 'always mini',
    against: { name: 'strategy linucb', value: 0 },
  };
  const [first, second] = detect(pays, single).findings;
  expect(first?.text).toMatch(
    /^For agent duo strategy linucb is proven to earn more reward \(success\) than always mini, /,
  );
  expect(first?.text).toMatch(
    /than any other target alone: 0\.121 a call\. 95 % confidence sequence/,
  );
  expect(second?.text).toMatch(
    /^For agent duo always mini .* than strategy linucb: 0\.121 a call\./,
  );
  expect(first?.disproof).toMatch(/recorded probabilities/);
});

test('best-arm gives decide nothing to act on, and finds nothing where nothing is proven', () => {
  for (const { level, direction } of detect(arm, route).findings) {
    expect([level, direction]).toEqual(['note', 'better']);
  }
  expect(detectWith(definition, observed([])).findings).toEqual([]);
});
