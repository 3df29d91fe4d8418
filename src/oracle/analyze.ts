import type { IdKind } from '../core/ids.ts';
import type {
  Analysis,
  Detector,
  Finding,
  Insufficient,
  Observation,
  Severity,
} from '../core/oracle.ts';

export interface NamedDetector {
  readonly name: string;
  readonly detect: Detector;
}

const RANK: Record<Severity, number> = { critical: 0, warning: 1, info: 2 };

/** Observation to findings, the gravest first. Pure but for the ids it is lent. */
export function analyze(
  observation: Observation,
  detectors: readonly NamedDetector[],
  createId: (kind: IdKind) => string,
): Analysis {
  const findings: Finding[] = [];
  const insufficient: Insufficient[] = [];
  for (const { name, detect } of detectors) {
    const result = detect(observation);
    for (const finding of result.findings) {
      findings.push({ id: createId('finding'), detector: name, ...finding });
    }
    for (const missing of result.insufficient) insufficient.push({ detector: name, ...missing });
  }
  return {
    id: createId('analysis'),
    at_ms: observation.at_ms,
    window: observation.window,
    version: observation.version,
    findings: findings.sort(
      (left, right) =>
        RANK[left.severity] - RANK[right.severity] ||
        right.effect - left.effect ||
        compareText(keyOf(left), keyOf(right)),
    ),
    insufficient: insufficient.sort((left, right) => compareText(keyOf(left), keyOf(right))),
  };
}

function keyOf(item: Finding | Insufficient): string {
  return [item.segment.agent, item.segment.target ?? '', item.metric, item.detector].join('\0');
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
