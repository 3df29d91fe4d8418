import type { Finding, FindingLevel, Severity } from '../core/finding.ts';
import { cellName, shapeOf } from '../core/findings/scene.ts';

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
  return merged.filter((one) => !merged.some((other) => isEchoOf(one, other))).sort(byGravity);
}

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
