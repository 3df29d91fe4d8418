import { cellName } from '../core/findings/scene.ts';
import type { IdKind } from '../core/ids.ts';
import type {
  Analysis,
  Detector,
  Finding,
  Insufficient,
  Observation,
  Window,
} from '../core/oracle.ts';
import { compareText, mergeFindings, type Told } from './merge-findings.ts';

export interface NamedDetector {
  readonly name: string;
  readonly detect: Detector;
}

/**
 * Observation to findings, the gravest first. Pure but for the ids it is lent. `previous` are the
 * findings of the look before: what stood then is the same finding, not a new one.
 */
export function analyze(
  observation: Observation,
  detectors: readonly NamedDetector[],
  createId: (kind: IdKind) => string,
  previous: readonly Finding[] = [],
): Analysis {
  const told: Told[] = [];
  const insufficient: Insufficient[] = [];
  for (const { name, detect } of detectors) {
    const result = detect(observation);
    for (const draft of result.findings) told.push({ ...draft, detector: name, support: [] });
    for (const missing of result.insufficient) insufficient.push({ ...missing, detector: name });
  }
  const stood = new Map(previous.map((finding) => [standingName(finding), finding]));
  const findings = mergeFindings(told).map((one): Finding => {
    return { id: createId('finding'), ...one, ...identityOf(one, stood) };
  });
  return {
    id: createId('analysis'),
    at_ms: observation.at_ms,
    window: observation.window,
    version: observation.version,
    findings,
    insufficient: mostMissing(insufficient),
  };
}

export function spanOf({ from_ms, to_ms }: Window): number {
  return to_ms - from_ms;
}

function standingName({ segment, metric, direction }: Told): string {
  return `${cellName(segment)}|${metric}|${direction}`;
}

function identityOf(
  one: Told,
  stood: ReadonlyMap<string, Finding>,
): Pick<Finding, 'key' | 'since_ms'> {
  const name = standingName(one);
  const before = stood.get(name);
  if (before) return { key: before.key, since_ms: before.since_ms };
  return { key: `${name}|${new Date(one.since_ms).toISOString()}`, since_ms: one.since_ms };
}

/** One row a cell and metric: who needs most says when all can speak. */
function mostMissing(rows: readonly Insufficient[]): readonly Insufficient[] {
  const cells = new Map<string, Insufficient>();
  for (const row of rows) {
    const name = `${cellName(row.segment)}|${row.metric}`;
    const held = cells.get(name);
    if (!held || held.required < row.required) cells.set(name, row);
  }
  return [...cells].sort(([left], [right]) => compareText(left, right)).map(([, row]) => row);
}
