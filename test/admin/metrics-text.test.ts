import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { metricsText } from '../../src/admin/metrics-text.ts';
import {
  createMetrics,
  METRICS,
  type MetricDeclaration,
  type MetricName,
  type Metrics,
} from '../../src/core/metrics.ts';

const NAMES = Object.keys(METRICS) as MetricName[];

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A reader of the text format, written from its specification and not from our writer. */
function parseExposition(text: string): { types: Map<string, string>; samples: Sample[] } {
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const type = /^# TYPE (\S+) (\S+)$/.exec(line);
    if (type) types.set(type[1] as string, type[2] as string);
    if (line.startsWith('#')) continue;
    const parts = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/s.exec(line);
    if (!parts) throw new Error(`not a sample: ${line}`);
    const labels = [...(parts[2] ?? '').matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/gs)].map(
      ([, label, value]) => [label as string, unescapeLabel(value as string)],
    );
    samples.push({
      name: parts[1] as string,
      labels: Object.fromEntries(labels),
      value: Number((parts[3] as string).replace('+Inf', 'Infinity')),
    });
  }
  return { types, samples };
}

function unescapeLabel(text: string): string {
  return text.replace(/\\(.)/gs, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
}

function record(metrics: Metrics, name: MetricName, text: string, value: number): void {
  const declaration: MetricDeclaration = METRICS[name];
  const labels = declaration.labels.map((label, index) => `${label}${index}${text}`);
  if (declaration.kind === 'counter') metrics.add(name, labels, value);
  else if (declaration.kind === 'gauge') metrics.set(name, value, labels);
  else metrics.observe(name, value, labels);
}

const recorded = fc.array(
  fc.record({
    name: fc.constantFrom(...NAMES),
    text: fc.string({ unit: 'binary', maxLength: 6 }),
    value: fc.double({ min: 0, max: 1e6, noNaN: true }),
  }),
  { maxLength: 30 },
);

describe('metricsText', () => {
  test('metricsText parses back to what was recorded, whatever the labels hold', () => {
    fc.assert(
      fc.property(recorded, (records) => {
        const metrics = createMetrics();
        for (const { name, text, value } of records) record(metrics, name, text, value);
        const { types, samples } = parseExposition(metricsText([metrics.snapshot()]));
        for (const [name, family] of Object.entries(metrics.snapshot())) {
          const declaration: MetricDeclaration = METRICS[name as MetricName];
          expect(types.get(name)).toBe(declaration.kind);
          for (const series of family) {
            const find = (suffix: string, le?: string): number | undefined =>
              samples.find(
                (one) =>
                  one.name === `${name}${suffix}` &&
                  one.labels.le === le &&
                  declaration.labels.every((key, at) => one.labels[key] === series.labels[at]),
              )?.value;
            if (declaration.kind !== 'histogram') expect(find('')).toBe(series.value);
            else {
              expect(find('_count')).toBe(series.count);
              expect(find('_sum')).toBe(series.value);
              expect(find('_bucket', '+Inf')).toBe(series.count);
            }
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  test('metricsText makes buckets cumulative', () => {
    const metrics = createMetrics();
    for (const seconds of [0.001, 0.02, 0.02, 100]) {
      metrics.observe('hive_call_seconds', seconds, ['a']);
    }
    const { samples } = parseExposition(metricsText([metrics.snapshot()]));
    const bucket = (le: string) =>
      samples.find((one) => one.name === 'hive_call_seconds_bucket' && one.labels.le === le)?.value;
    expect([bucket('0.005'), bucket('0.01'), bucket('0.025'), bucket('60')]).toEqual([1, 1, 3, 3]);
    expect(bucket('+Inf')).toBe(4);
  });

  test('metricsText adds series of the same labels and keeps the others apart', () => {
    const left = createMetrics();
    const right = createMetrics();
    left.add('hive_calls_total', ['a', 'ok'], 2);
    right.add('hive_calls_total', ['a', 'ok'], 3);
    right.add('hive_calls_total', ['b', 'ok'], 1);
    left.observe('hive_cycle_seconds', 0.3);
    right.observe('hive_cycle_seconds', 0.3);
    const { samples } = parseExposition(metricsText([left.snapshot(), right.snapshot()]));
    const calls = samples.filter((one) => one.name === 'hive_calls_total');
    expect(calls.map((one) => [one.labels.agent, one.value])).toEqual([
      ['a', 5],
      ['b', 1],
    ]);
    expect(samples.find((one) => one.name === 'hive_cycle_seconds_count')?.value).toBe(2);
  });

  test('metricsText leaves out what nobody recorded', () => {
    expect(metricsText([createMetrics().snapshot()])).toBe('');
  });

  test('METRICS names counters with _total, and nothing else so', () => {
    for (const name of NAMES) {
      expect(name.endsWith('_total')).toBe(METRICS[name].kind === 'counter');
    }
  });

  // Install it with: apt-get install prometheus (it brings promtool).
  const promtool = spawnSync('promtool', ['--version']).error === undefined;
  test.skipIf(!promtool)(
    `metricsText passes promtool check metrics${promtool ? '' : ' (apt-get install prometheus)'}`,
    () => {
      const metrics = createMetrics();
      for (const name of NAMES) record(metrics, name, 'a"\\\nb', 1);
      const checked = spawnSync('promtool', ['check', 'metrics'], {
        input: metricsText([metrics.snapshot()]),
        encoding: 'utf8',
      });
      expect(`${checked.stdout}${checked.stderr}`).toBe('');
      expect(checked.status).toBe(0);
    },
  );
});
