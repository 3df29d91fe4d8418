import { describe, expect, test } from 'vitest';
import { definition } from '../../../src/oracle/detectors/dissatisfaction.ts';
import { cell, detectWith, HOUR, hourly, NOW_MS, observed, toldOf } from '../observation.ts';

const detect = (observation: Parameters<typeof detectWith>[1]) =>
  detectWith(definition, observation);

describe('dissatisfaction', () => {
  test('dissatisfaction finds an agent above the threshold and says what it rests on', () => {
    const result = detect(
      observed([cell(null, 'dissatisfied', 48, 60, { ratings: 60, rating_by_unit: 1.8 })]),
    );
    expect(toldOf(result)).toEqual(['agent dissatisfied act']);
    expect(result.findings[0]).toMatchObject({
      n: 48,
      units: 60,
      severity: 'critical',
      yardstick: { kind: 'threshold', value: 0.15 },
    });
    expect(result.findings[0]?.text).toBe(
      '48 of 60 units that rated agent duo were dissatisfied: 80.0 % (95 % interval 68.2 % to ' +
        '88.2 %), above the policy’s threshold of 15.0 %. Their typical rating is 1.8 of 5. ' +
        'It holds without the 6 most influential raters.',
    );
  });

  test('dissatisfaction only looks into what rests on one tenant', () => {
    const by_tenant = [
      { tenant: 'evil', units: 9000, events: 9000 },
      { tenant: 'a', units: 150, events: 9 },
      { tenant: 'b', units: 100, events: 6 },
    ];
    const result = detect(observed([cell(null, 'dissatisfied', 9015, 9250, { by_tenant })]));
    expect(toldOf(result)).toEqual(['agent dissatisfied investigate']);
    expect(result.findings[0]?.text).toMatch(
      /It rests on tenant evil: without its 9,000 raters it is 6\.0 %\./,
    );
  });

  test('dissatisfaction only looks into what a twentieth of the raters could have made', () => {
    const past = [cell(null, 'dissatisfied', 700, 10000)];
    const result = detect(observed([cell(null, 'dissatisfied', 112, 1000)], past));
    expect(toldOf(result)).toEqual(['agent dissatisfied investigate']);
    expect(result.findings[0]?.text).toMatch(/It rests on the 100 most influential raters/);
    // So much is left of 180 that it would be told, and not that it would be acted on.
    const more = detect(observed([cell(null, 'dissatisfied', 205, 1000)], past));
    expect(toldOf(more)).toEqual(['agent dissatisfied investigate']);
    const most = detect(observed([cell(null, 'dissatisfied', 250, 1000)], past));
    expect(toldOf(most)).toEqual(['agent dissatisfied act']);
  });

  test('dissatisfaction only looks into a crowd of raters that nobody knows', () => {
    const series = hourly('dissatisfied', () => 0.07, { count: 10 });
    const counts = series.counts.map((count, hour) => (hour < 168 ? count : 60));
    const past = [cell(null, 'dissatisfied', 112, 1600)];
    const crowd = observed([cell(null, 'dissatisfied', 900, 1200)], past, {
      series: [{ ...series, counts }],
    });
    expect(toldOf(detect(crowd))).toEqual(['agent dissatisfied investigate']);
    expect(detect(crowd).findings[0]?.text).toMatch(
      /It rests on 86\d raters more than usual: without them it is \d+\.\d %\./,
    );
    const known = observed([cell(null, 'dissatisfied', 900, 1200)], past, { series: [series] });
    expect(toldOf(detect(known))).toEqual(['agent dissatisfied act']);
  });

  test('dissatisfaction only looks into what one hour made', () => {
    const bad = (hour: number) => (hour === 185 ? 0.9 : 0.05);
    const past = [cell(null, 'dissatisfied', 70, 1400)];
    const at = (rate: (hour: number) => number) =>
      observed([cell(null, 'dissatisfied', 60, 240)], past, {
        series: [hourly('dissatisfied', rate, { count: 10, noise: 0.01 })],
      });
    expect(toldOf(detect(at(bad)))).toEqual(['agent dissatisfied investigate']);
    expect(detect(at(bad)).findings[0]?.text).toMatch(/One hour alone made \d+\.\d % of it\./);
    const lasting = at((hour) => (hour >= 176 ? 0.3 : 0.05));
    expect(toldOf(detect(lasting))).toEqual(['agent dissatisfied act']);
  });

  test('dissatisfaction only looks into what feedback says that has not matured', () => {
    const angry_first = (hour: number) => (hour === 191 ? 0.9 : 0.1);
    const series = [hourly('dissatisfied', angry_first, { count: 40, noise: 0.01 })];
    const at = (at_ms: number) => {
      const window = { from_ms: NOW_MS - 4 * HOUR, to_ms: at_ms };
      return detect(observed([cell(null, 'dissatisfied', 48, 160)], [], { series, window, at_ms }));
    };
    expect(toldOf(at(NOW_MS))).toEqual(['agent dissatisfied investigate']);
    expect(at(NOW_MS).findings[0]?.text).toMatch(/It rests on feedback of the last half hour/);
    expect(at(NOW_MS + HOUR / 2).findings[0]?.text).not.toMatch(/last half hour/);
  });

  test('dissatisfaction grades by the rating that units gave, once each', () => {
    const mild = cell(null, 'dissatisfied', 30, 100, { ratings: 900, rating_by_unit: 2.4 });
    expect(detect(observed([mild])).findings[0]?.severity).toBe('critical');
    const better = { ...cell(null, 'dissatisfied', 29, 100), ratings: 900, rating_by_unit: 4.2 };
    expect(detect(observed([better])).findings[0]?.severity).toBe('warning');
  });

  test('dissatisfaction does not take silence for pleasure: it says that too few rated', () => {
    const { findings, insufficient } = detect(observed([cell(null, 'dissatisfied', 4, 9)]));
    expect(findings).toEqual([]);
    expect(insufficient).toMatchObject([{ metric: 'dissatisfied', units: 9, required: 20 }]);
  });
});
