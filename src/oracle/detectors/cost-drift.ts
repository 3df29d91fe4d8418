import { z } from 'zod';
import type { FindingDraft } from '../../core/finding.ts';
import { familyDetector } from '../../core/findings/family.ts';
import { type Missing, weekly } from '../../core/findings/rates.ts';
import { cellName, type Scene, shapeOf } from '../../core/findings/scene.ts';
import { against, dollars, percent, placeOf, thousands } from '../../core/findings/words.ts';
import type { SegmentObservation, Sketch } from '../../core/observation.ts';
import { normalTail } from '../../core/series/normal.ts';
import { type LogMoments, logMoments } from '../../core/statistics/sketch-reading.ts';

const options = z.strictObject({
  /** Calls with a known price below which nothing is said, now and in the past. */
  calls_min: z.int().min(2).default(100),
  q: z.number().gt(0).lt(1).default(0.05),
  /** A rise by less than this share is not told. */
  margin: z.number().min(0).default(0.05),
  /** Correlation of the costs of one user's calls. */
  correlation: z.number().min(0).max(1).default(0.2),
});
type Options = z.infer<typeof options>;

/** From this rise on it is worth a warning; the policy grades no costs yet. */
const WARNING_RISE = 0.2;
const Z_95 = 1.959963984540054;

/**
 * Whether a typical call costs more than it did: means of logarithms, because costs are spread over
 * decades and one absurd bill is no drift. It says whether longer calls, or calls that moved to
 * another target, explain it.
 */
export const definition = familyDetector<Options>({
  name: 'cost-drift',
  summary: 'Cost of a typical call against the cell’s own past, on the log scale.',
  options,
  ask(scene, cell, settings, sift) {
    const drift = driftOf(scene, cell, 'cost_usd', settings);
    const few = drift !== null && drift.count < settings.calls_min;
    return sift<Drift>(few ? missing(scene, cell, drift.count, settings.calls_min) : drift).map(
      (one) => ({
        p_week: weekly(scene, one.p),
        clears: one.rise - Z_95 * one.error > Math.log1p(settings.margin),
        said: () => draftOf(scene, cell, one, settings),
      }),
    );
  },
});

interface Drift {
  readonly here: LogMoments;
  readonly there: LogMoments;
  readonly count: number;
  /** Difference of the mean logarithms, and its standard error. */
  readonly rise: number;
  readonly error: number;
  readonly p: number;
}

function driftOf(
  scene: Scene,
  cell: SegmentObservation,
  quantity: 'cost_usd' | 'tokens_in' | 'tokens_out',
  { correlation }: Options,
): Drift | null {
  const read = (sketch: Sketch | undefined) => (sketch ? logMoments(sketch) : null);
  const here = read(cell.quantities[quantity]);
  const there = read(scene.past.get(cellName(cell.segment))?.quantities[quantity]);
  if (here === null || there === null) return null;
  const design = 1 + Math.max(0, cell.calls / Math.max(1, cell.users) - 1) * correlation;
  const rise = here.mean - there.mean;
  const error = Math.sqrt(design * (here.variance / here.count + there.variance / there.count));
  const p = normalTail(rise / Math.max(error, 1e-9));
  return { here, there, count: Math.min(here.count, there.count), rise, error, p };
}

function missing(
  { observation }: Scene,
  { segment }: SegmentObservation,
  units: number,
  required: number,
): Missing {
  const span_ms = observation.window.to_ms - observation.window.from_ms;
  const eta_ms = Math.round(
    observation.at_ms + ((required - units) / Math.max(1, units)) * span_ms,
  );
  return { segment, metric: 'cost_usd', units, required, of: 'calls', eta_ms };
}

function draftOf(
  scene: Scene,
  cell: SegmentObservation,
  { here, there, rise, error, p }: Drift,
  settings: Options,
): FindingDraft {
  const [estimate, value] = [Math.exp(here.mean), Math.exp(there.mean)];
  const interval = [estimate * Math.exp(-Z_95 * error), estimate * Math.exp(Z_95 * error)] as const;
  const yardstick = { kind: 'past', value } as const;
  const within = withinTargets(scene, cell, settings);
  const moved = within !== null && within < rise / 2;
  const range = `95 % interval ${dollars(interval[0])} to ${dollars(interval[1])}`;
  return {
    since_ms: scene.observation.at_ms,
    segment: cell.segment,
    metric: 'cost_usd',
    measure: 'usd',
    level: moved ? 'note' : 'investigate',
    direction: 'worse',
    estimate,
    effect: estimate - value,
    interval,
    yardstick,
    p,
    e: null,
    confirmed: null,
    n: here.count,
    units: cell.users,
    severity: Math.expm1(rise) >= WARNING_RISE ? 'warning' : 'info',
    text:
      `A typical call of ${placeOf(cell.segment)} costs ${dollars(estimate)} (${range}, ` +
      `${thousands(here.count)} calls), ${against(yardstick, dollars(value))}: ` +
      `${percent(Math.expm1(rise))} more.${reasonWords(scene, cell, within, moved, settings)}`,
    disproof:
      `Wrong if the geometric mean of the next ${thousands(here.count)} calls is ` +
      `${dollars(value)} or less.`,
    evidence: cell.evidence,
  };
}

/** The rise within the agent's targets, weighted by their calls now; null for a target itself. */
function withinTargets(scene: Scene, { segment }: SegmentObservation, settings: Options) {
  if (segment.target !== null) return null;
  const drifts = [...scene.now.values()].flatMap((cell) => {
    const own = cell.segment.agent === segment.agent && shapeOf(cell.segment) === 'target';
    return own ? (driftOf(scene, cell, 'cost_usd', settings) ?? []) : [];
  });
  const calls = drifts.reduce((sum, { here }) => sum + here.count, 0);
  if (drifts.length < 2) return null;
  return drifts.reduce((sum, { here, rise }) => sum + here.count * rise, 0) / calls;
}

function reasonWords(
  scene: Scene,
  cell: SegmentObservation,
  within: number | null,
  moved: boolean,
  settings: Options,
): string {
  if (moved && within !== null) {
    return ` Within targets it is ${percent(Math.expm1(within))}: calls moved to dearer targets.`;
  }
  const tokens = (['tokens_in', 'tokens_out'] as const).flatMap((quantity) => {
    const drift = driftOf(scene, cell, quantity, settings);
    const name = quantity === 'tokens_in' ? 'asked' : 'answered';
    return drift ? [`${percent(Math.expm1(drift.rise))} more tokens ${name}`] : [];
  });
  return tokens.length === 0 ? '' : ` Meanwhile ${tokens.join(' and ')}.`;
}
