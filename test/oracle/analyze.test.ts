import { describe, expect, test } from 'vitest';
import type { Finding, FindingDraft } from '../../src/core/finding.ts';
import { analyze } from '../../src/oracle/analyze.ts';
import { findingFor, testId } from './kit.ts';
import { NOW_MS, observed } from './observation.ts';

function draftFor(agent: string, change: Partial<Finding> = {}): FindingDraft {
  const { id: _id, detector: _name, key: _key, support: _support, ...draft } = findingFor(agent);
  return { ...draft, ...change };
}

/** What detectors of these names told, put together. */
function told(
  by: Readonly<Record<string, readonly FindingDraft[]>>,
  previous: readonly Finding[] = [],
) {
  const detectors = Object.entries(by).map(([name, findings]) => ({
    name,
    detect: () => ({ findings, insufficient: [] }),
  }));
  return analyze(observed([]), detectors, testId, previous);
}

const at = (agent: string, target: string | null, category: string | null = null) => ({
  segment: { agent, target, category },
});

describe('analyze', () => {
  test('analyze names each finding and its detector, and puts the gravest first', () => {
    const analysis = told({
      seen: [
        draftFor('a', { severity: 'warning', effect: 0.9 }),
        draftFor('b', { severity: 'critical', effect: 0.2 }),
        draftFor('c', { severity: 'critical', effect: 0.7 }),
        draftFor('d', { severity: 'critical', effect: 0.9, level: 'investigate' }),
      ],
    });
    expect(analysis).toMatchObject({ at_ms: NOW_MS, version: 'v' });
    expect(analysis.findings.map(({ segment }) => segment.agent)).toEqual(['c', 'b', 'd', 'a']);
    expect(new Set(analysis.findings.map(({ id }) => id)).size).toBe(4);
    expect(analysis.findings.every(({ detector }) => detector === 'seen')).toBe(true);
  });

  test('analyze makes one finding of what several detectors say of a cell, with support', () => {
    const { findings } = told({
      scan: [draftFor('a', { level: 'investigate', p: 1e-30, since_ms: 5 })],
      main: [draftFor('a', { level: 'act', p: 1e-6, since_ms: 9 })],
      other: [draftFor('a', { level: 'investigate', p: 1e-3, since_ms: 7 })],
    });
    expect(findings).toMatchObject([
      { detector: 'main', level: 'act', support: ['other', 'scan'], since_ms: 5 },
    ]);
  });

  test('analyze lets a change of the mix stand as the reason, whoever else saw the rise', () => {
    const { findings } = told({
      main: [draftFor('a', { level: 'note' })],
      shift: [draftFor('a', { level: 'investigate' })],
    });
    expect(findings.map(({ level }) => level)).toEqual(['note']);
  });

  test('analyze does not repeat of the agent what its target has, nor of a category', () => {
    const { findings } = told({
      main: [draftFor('a', at('a', null)), draftFor('a', at('a', 'demo'))],
      scan: [draftFor('a', { ...at('a', 'demo', 'code'), level: 'investigate' })],
    });
    expect(findings.map(({ segment }) => segment.target)).toEqual(['demo']);
    expect(findings).toHaveLength(1);
    const agent = told({
      main: [draftFor('a', at('a', null))],
      shift: [draftFor('a', { ...at('a', 'demo'), level: 'investigate' })],
    });
    expect(agent.findings.map(({ segment }) => segment.target)).toEqual([null]);
  });

  test('analyze tells first tokens and slow answers as evidence of one latency', () => {
    const ms = { measure: 'ms', level: 'act', estimate: 1901, since_ms: 9 } as const;
    const usual = { kind: 'past', value: 1380 } as const;
    const latency = draftFor('a', { ...at('a', 'm'), ...ms, metric: 'latency_ms' });
    const first = draftFor('a', {
      ...at('a', 'm'),
      ...ms,
      metric: 'ttft_ms',
      estimate: 302,
      yardstick: { ...usual, value: 210 },
      since_ms: 5,
    });
    const slow = draftFor('a', {
      ...at('a', null),
      metric: 'slow',
      level: 'act',
      severity: 'critical',
      estimate: 0.158,
      since_ms: 7,
      yardstick: { ...usual, value: 0.084 },
    });
    const { findings } = told({ main: [latency, first], scan: [slow] });
    expect(findings).toMatchObject([
      { metric: 'latency_ms', level: 'act', severity: 'critical', since_ms: 5, support: ['scan'] },
    ]);
    expect(findings[0]?.text).toMatch(
      / With it the time to the first token is 302 ms against 210 ms and the share of units /,
    );
    expect(findings[0]?.text).toMatch(/ with a slow answer \(agent a\) is 15.8 % against 8.4 %\.$/);
  });

  test('analyze keeps what may be acted on beside what may not, and other places apart', () => {
    const latency = draftFor('a', { ...at('a', 'm'), metric: 'latency_ms', level: 'investigate' });
    const slow = (target: string | null, level: 'act' | 'investigate') =>
      draftFor('a', { ...at('a', target), metric: 'slow', level });
    const metricsOf = (...drafts: readonly FindingDraft[]) =>
      told({ main: drafts }).findings.map(({ metric, segment }) => [metric, segment.target]);
    expect(metricsOf(latency, slow('m', 'act'))).toEqual([
      ['slow', 'm'],
      ['latency_ms', 'm'],
    ]);
    expect(metricsOf(latency, slow('other', 'investigate'))).toHaveLength(2);
    expect(metricsOf(latency, draftFor('a', { ...at('a', 'm'), metric: 'error' }))).toHaveLength(2);
    expect(metricsOf(latency, slow('m', 'investigate'), slow(null, 'investigate'))).toEqual([
      ['latency_ms', 'm'],
    ]);
  });

  test('analyze keeps the name and the beginning of a finding that stands', () => {
    const first = told({ main: [draftFor('a', { since_ms: 1000 })] });
    const second = told({ main: [draftFor('a', { since_ms: 9000 })] }, first.findings);
    expect(second.findings[0]).toMatchObject({ key: first.findings[0]?.key, since_ms: 1000 });
    expect(second.findings[0]?.id).not.toBe(first.findings[0]?.id);
    const other = told({ main: [draftFor('a', { direction: 'better' })] }, first.findings);
    expect(other.findings[0]?.key).not.toBe(first.findings[0]?.key);
  });
});
