import type { Finding, FindingLevel, Severity } from '../core/finding.ts';
import { cellName, shapeOf } from '../core/findings/scene.ts';
import { list, milliseconds, percent, placeOf } from '../core/findings/words.ts';
import type { FindingMetric } from '../core/observation.ts';

const LEVEL: Record<FindingLevel, number> = { act: 0, investigate: 1, note: 2 };
const SEVERITY: Record<Severity, number> = { critical: 0, warning: 1, info: 2 };

/** A finding before it has an identity. */
export type Told = Omit<Finding, 'id' | 'key'>;

/**
 * One finding a cell and metric: the one at the highest level, then the most certain, with the
 * other detectors as its support. What a target's finding says is not said again of its agent,
 * unless the agent's may be acted on and the target's may not.
 */
export function mergeFindings(told: readonly Told[]): readonly Told[] {
  const cells = new Map<string, Told[]>();
  for (const one of told) {
    const name = `${cellName(one.segment)}|${one.metric}`;
    cells.set(name, [...(cells.get(name) ?? []), one]);
  }
  const merged = [...cells.values()].map(strongest);
  const single = merged.filter((one) => !merged.some((other) => isEchoOf(one, other)));
  return [...withoutSymptoms(single)].sort(byGravity);
}

/**
 * Measures of one trouble: an answer that takes longer begins later, and more of them are slow. The
 * first that there is tells it, and the others are its evidence.
 */
const SPEED: readonly FindingMetric[] = ['latency_ms', 'ttft_ms', 'slow'];

/**
 * What says in other words what another finding of the same place says, or of one of its targets,
 * is told as that one's evidence, unless more may be done on it: decide must still see it.
 */
function withoutSymptoms(findings: readonly Told[]): readonly Told[] {
  // Of several the first measure: that one is no symptom of another.
  const causes = findings.map((one) => {
    const found = findings.filter((other) => isSymptomOf(one, other));
    return found.find((other) => !findings.some((third) => isSymptomOf(other, third))) ?? null;
  });
  const of = (cause: Told): readonly Told[] => findings.filter((_, at) => causes[at] === cause);
  return findings
    .filter((_, at) => causes[at] === null)
    .map((cause) => withSymptoms(cause, of(cause)));
}

function isSymptomOf(one: Told, other: Told): boolean {
  const [rank, above] = [SPEED.indexOf(one.metric), SPEED.indexOf(other.metric)];
  if (above < 0 || rank <= above || one.direction !== other.direction) return false;
  if (LEVEL[one.level] < LEVEL[other.level]) return false;
  const same = cellName(one.segment) === cellName(other.segment);
  const within = shapeOf(one.segment) === 'agent' && shapeOf(other.segment) === 'target';
  return same || (within && one.segment.agent === other.segment.agent);
}

function withSymptoms(cause: Told, symptoms: readonly Told[]): Told {
  if (symptoms.length === 0) return cause;
  const [graver] = [cause, ...symptoms].sort(
    (left, right) => SEVERITY[left.severity] - SEVERITY[right.severity],
  ) as [Told, ...Told[]];
  const support = [cause, ...symptoms].flatMap(({ detector, support: also }) => [
    detector,
    ...also,
  ]);
  return {
    ...cause,
    text: `${cause.text} With it ${list(symptoms.map((one) => symptomWords(one, cause)))}.`,
    severity: graver.severity,
    since_ms: Math.min(cause.since_ms, ...symptoms.map(({ since_ms }) => since_ms)),
    support: [...new Set(support)].filter((name) => name !== cause.detector).sort(),
  };
}

/** “the time to the first token is 302 ms against 210 ms”. */
function symptomWords(
  { segment, metric, measure, estimate, yardstick }: Told,
  cause: Told,
): string {
  const said = (value: number): string => (measure === 'ms' ? milliseconds(value) : percent(value));
  const place = cellName(segment) === cellName(cause.segment) ? '' : ` (${placeOf(segment)})`;
  const [seen, usual] = [said(estimate), said(yardstick.value)];
  return `${SYMPTOM[metric] ?? metric}${place} is ${seen} against ${usual}`;
}

const SYMPTOM: Partial<Record<FindingMetric, string>> = {
  ttft_ms: 'the time to the first token',
  slow: 'the share of units with a slow answer',
};

function strongest(same: readonly Told[]): Told {
  const sorted = [...same].sort(
    (left, right) =>
      LEVEL[left.level] - LEVEL[right.level] ||
      SEVERITY[left.severity] - SEVERITY[right.severity] ||
      (left.p ?? 1) - (right.p ?? 1),
  );
  const [first, ...rest] = sorted as [Told, ...Told[]];
  const others = rest
    .filter(({ detector, direction }) => {
      return detector !== first.detector && direction === first.direction;
    })
    .map(({ detector }) => detector);
  const blocked = rest.some(({ level }) => level === 'note') && first.level === 'investigate';
  const began = rest.filter(({ direction }) => direction === first.direction);
  const since_ms = Math.min(first.since_ms, ...began.map((one) => one.since_ms));
  // Which failures they are, an operator must know whoever counted them.
  const classes = rest.find(({ detector }) => detector === 'error-class');
  return {
    ...first,
    text: classes && first.metric === 'error' ? `${first.text} ${classes.text}` : first.text,
    // What a change of the mix explains stays explained, whoever else noticed it.
    level: blocked ? 'note' : first.level,
    since_ms,
    support: [...new Set(others)].sort(),
  };
}

/**
 * A target's finding and its agent's of one metric are one trouble: the target's is kept, since it
 * says where, unless the agent's is at a higher level. A smaller cell of a scan says nothing new
 * where its whole target or agent has the finding.
 */
function isEchoOf(one: Told, other: Told): boolean {
  if (one === other || one.metric !== other.metric || one.direction !== other.direction)
    return false;
  if (one.segment.agent !== other.segment.agent) return false;
  const [shape, others] = [shapeOf(one.segment), shapeOf(other.segment)];
  if (shape === 'agent') return others === 'target' && LEVEL[other.level] <= LEVEL[one.level];
  if (others === 'agent' && shape === 'target') return LEVEL[other.level] < LEVEL[one.level];
  const within = other.segment.target === null || other.segment.target === one.segment.target;
  return shape !== 'target' && (others === 'agent' || others === 'target') && within;
}

export function byGravity(left: Told, right: Told): number {
  return (
    SEVERITY[left.severity] - SEVERITY[right.severity] ||
    LEVEL[left.level] - LEVEL[right.level] ||
    weightOf(right) - weightOf(left) ||
    compareText(
      `${cellName(left.segment)}|${left.metric}`,
      `${cellName(right.segment)}|${right.metric}`,
    )
  );
}

/** Effects of different measures compare as shares of what was to be expected. */
function weightOf({ measure, effect, yardstick }: Told): number {
  const size = Math.abs(effect);
  return measure === 'share' ? size : size / Math.max(Math.abs(yardstick.value), 1e-9);
}

export function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
