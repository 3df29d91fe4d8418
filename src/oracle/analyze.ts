import type { IdKind } from '../core/ids.ts';
import type {
  Analysis,
  Detector,
  Finding,
  FindingDraft,
  Insufficient,
  Observation,
  Segment,
  Severity,
} from '../core/oracle.ts';

export interface NamedDetector {
  readonly name: string;
  readonly detect: Detector;
}

const RANK: Record<Severity, number> = { critical: 0, warning: 1, info: 2 };

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
  const findings: Finding[] = [];
  const insufficient: Insufficient[] = [];
  for (const { name, detect } of detectors) {
    const result = detect(observation);
    for (const finding of result.findings) {
      const { key, since_ms } = identityOf(finding, previous);
      const id = createId('finding');
      findings.push({ id, detector: name, ...finding, key, since_ms, support: [] });
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

function identityOf(draft: FindingDraft, previous: readonly Finding[]): Identity {
  const cell = cellOf(draft);
  const stood = previous.find((one) => cellOf(one) === cell && one.direction === draft.direction);
  if (stood) return { key: stood.key, since_ms: stood.since_ms };
  const since = new Date(draft.since_ms).toISOString();
  return { key: `${cell}|${draft.direction}|${since}`, since_ms: draft.since_ms };
}
type Identity = Pick<Finding, 'key' | 'since_ms'>;

/** Names of agents, targets, categories and tenants hold no `|`. */
function cellOf({ segment, metric }: { segment: Segment; metric: string }): string {
  const { agent, target, tenant, category } = segment;
  return [agent, target ?? '', tenant ?? '', category ?? '', metric].join('|');
}

function keyOf(item: Finding | Insufficient): string {
  return `${cellOf(item)}|${item.detector}`;
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
