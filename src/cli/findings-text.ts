import { milliseconds } from '../core/findings/words.ts';
import type { Analysis, Finding, Insufficient } from '../core/oracle.ts';
import { plain, tableText, timeText } from './text.ts';

export interface FindingsShown {
  /** Only this agent's. */
  readonly agent?: string;
  /** Also where there is too little data. */
  readonly all: boolean;
}

/** A table to see what there is, and below it what each finding says and would disprove it. */
export function findingsText(analysis: Analysis, { agent, all }: FindingsShown): string {
  const of = (one: Finding | Insufficient): boolean =>
    agent === undefined || one.segment.agent === agent;
  const findings = analysis.findings.filter(of);
  const missing = analysis.insufficient.filter(of);
  const { from_ms, to_ms } = analysis.window;
  const count = `${findings.length} finding${findings.length === 1 ? '' : 's'}`;
  const head = ['', 'severity', 'level', 'where', 'metric', 'seen', 'held against', 'since'];
  const rows = findings.map((one, index) => [
    `${index + 1}`,
    one.severity,
    one.level,
    whereOf(one),
    one.metric,
    measured(one, one.estimate),
    `${one.yardstick.kind} ${measured(one, one.yardstick.value)}`,
    timeText(one.since_ms),
  ]);
  return [
    `${count}, ${timeText(from_ms)} to ${timeText(to_ms)}.`,
    ...(findings.length > 0 ? [tableText(head, rows, ''), ''] : []),
    ...findings.flatMap(sentencesOf),
    ...(all ? missingLines(missing) : hint(missing)),
  ].join('\n');
}

function whereOf({ segment }: Finding | Insufficient): string {
  const { agent, target, category, tenant } = segment;
  const parts = [agent, target, category && `category ${category}`, tenant && `tenant ${tenant}`];
  return plain(parts.filter(Boolean).join(' / '));
}

function measured({ measure }: Finding, value: number): string {
  switch (measure) {
    case 'share':
      return `${(value * 100).toFixed(1)} %`;
    case 'ms':
      return milliseconds(value);
    case 'usd':
      return `$${Number(value.toPrecision(3))}`;
    default:
      return String(Number(value.toPrecision(3)));
  }
}

function sentencesOf(finding: Finding, index: number): readonly string[] {
  const { text, disproof, detector, support, evidence, id, p } = finding;
  const sure = p === null ? '' : `, p ${p < 1e-6 ? '< 0.000001' : p.toPrecision(2)}`;
  const also = support.length > 0 ? `; so do ${support.join(', ')}` : '';
  const calls = evidence.length > 0 ? `; see ${evidence.slice(0, 3).join(', ')}` : '';
  return [
    plain(`${index + 1}. ${text}`),
    plain(`   ${disproof}`),
    plain(`   ${detector} says so${sure}${also}${calls}. (${id})`),
  ];
}

function missingLines(missing: readonly Insufficient[]): readonly string[] {
  return missing.map((one) => {
    const when = one.eta_ms === null ? 'nothing arrives' : `about ${timeText(one.eta_ms)}`;
    const has = `${Math.round(one.units)} of ${one.required} ${one.of}`;
    return plain(`too little data: ${one.metric} of ${whereOf(one)} has ${has}; enough ${when}`);
  });
}

function hint(missing: readonly Insufficient[]): readonly string[] {
  if (missing.length === 0) return [];
  return [`${missing.length} more cannot be told yet for want of data: hive findings --all`];
}
