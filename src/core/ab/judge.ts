import { eValue } from '../sequential.ts';
import { type AbCounts, armValueOf, comparisonsOf, unitsOf } from './compare.ts';
import { type AbEntry, armsOf, CONTROL_ARM, treatmentsOf } from './entry.ts';
import { AB_METRICS, metricsOf } from './metrics.ts';
import type { AbArmReport, AbComparison, AbReport, AbSplit, AbStep, AbVerdict } from './report.ts';
import { SPLIT_ALPHA, SPLIT_DOUBT, splitEvidenceLn } from './split.ts';
import { changeText, numberText } from './words.ts';

/** What there is of a run when it is judged. */
export interface AbState {
  readonly entry: AbEntry;
  readonly counts: AbCounts;
  /** Policy milliseconds since it began. */
  readonly age_ms: number;
  /** Arms that are no longer served, and why. */
  readonly dropped: Readonly<Record<string, string>>;
  /** What was last kept of it: of the arms that were dropped, what made them be. */
  readonly before?: AbReport | null;
}

const HOUR_MS = 3_600_000;

/**
 * What the counts say, and what follows. Pure, and safe to ask at every look: all tests are
 * anytime-valid. A failed split voids everything; harm needs no minimum; a winner needs them all.
 */
export function judgeAb(state: AbState): AbReport {
  const { entry, counts, dropped } = state;
  const comparisons = comparedNow(state);
  const live = armsOf(entry).flatMap(([arm]) => (Object.hasOwn(dropped, arm) ? [] : [arm]));
  const split = splitOf(entry, counts, live, 'assigned');
  const { per } = AB_METRICS[entry.metric];
  const asked = per === 'rated' || per === 'ratings';
  const raters = asked ? splitOf(entry, counts, live, 'rated') : null;
  const arms = armsOf(entry).map(
    ([arm, { share }]): AbArmReport => ({
      arm,
      share,
      units: unitsOf(counts, arm, 'assigned'),
      dropped: dropped[arm] ?? null,
      metrics: metricsOf(entry).map((metric) => armValueOf(counts, arm, metric, entry.stop.alpha)),
    }),
  );
  const seen: Seen = { ...state, live, comparisons, split, raters };
  const step = stepOf(seen);
  return { arms, comparisons, split, raters, step, sentence: sentenceOf(seen, step) };
}

/**
 * A dropped arm stays as it was compared last: nothing is counted for it any more, while control
 * goes on, so that its harm would seem to fade.
 */
function comparedNow({ entry, counts, dropped, before }: AbState): readonly AbComparison[] {
  return comparisonsOf(entry, counts).map((now) => {
    if (!Object.hasOwn(dropped, now.arm)) return now;
    const same = ({ arm, metric }: AbComparison): boolean =>
      arm === now.arm && metric === now.metric;
    return before?.comparisons.find(same) ?? now;
  });
}

interface Seen extends AbState {
  readonly live: readonly string[];
  readonly comparisons: readonly AbComparison[];
  readonly split: AbSplit;
  readonly raters: AbSplit | null;
}

function splitOf(
  { arms }: AbEntry,
  counts: AbCounts,
  live: readonly string[],
  event: string,
): AbSplit {
  const given = live.map((arm) => {
    return { share: arms[arm]?.share ?? 0, units: unitsOf(counts, arm, event) };
  });
  const e = eValue(splitEvidenceLn(given));
  const state = e >= 1 / SPLIT_ALPHA ? 'failed' : e >= SPLIT_DOUBT ? 'doubtful' : 'ok';
  return { state, e, p: Math.min(1, 1 / e) };
}

function stepOf(seen: Seen): AbStep {
  const { split, entry } = seen;
  if (split.state === 'failed') {
    const sentence =
      `void: units do not fall into the arms as the shares say (p ${split.p.toExponential(1)}), ` +
      'so the arms do not compare; nothing is concluded';
    return stop('void', null, sentence);
  }
  const harm = harmOf(seen);
  if (harm) return harm;
  if (waitingFor(seen) === null) {
    const winner = winnerOf(seen);
    if (winner) return stop('winner', winner.arm, `${winner.arm} is better: ${toldOf(winner)}`);
    if (isFutile(seen)) {
      const least = percentOf(entry.stop.min_effect);
      return stop('futile', null, `no arm is better by ${least} or more: control is kept`);
    }
  }
  const over = overOf(seen);
  if (over === null) return { kind: 'continue' };
  const held = waitingFor(seen);
  const why = held === null ? 'no arm is proven better' : held;
  return stop('undecided', null, `${over}, and ${why}: control is kept`);
}

function stop(kind: AbVerdict['kind'], arm: string | null, sentence: string): AbStep {
  return { kind: 'stop', verdict: { kind, arm, sentence } };
}

/** An arm that is proven to do harm goes; with the last one goes the experiment. */
function harmOf({ live, comparisons }: Seen): AbStep | null {
  const bad = comparisons.find(
    (one) =>
      live.includes(one.arm) &&
      (one.broken === true || (one.role === 'primary' && one.proven === 'worse')),
  );
  if (!bad) return null;
  const allowed = bad.bound === undefined ? '' : `, of which ${percentOf(bad.bound)} is allowed`;
  const reason = `${bad.arm} does harm: ${toldOf(bad)}${allowed}`;
  const left = live.filter((arm) => arm !== bad.arm && arm !== CONTROL_ARM);
  if (left.length > 0) return { kind: 'drop', arm: bad.arm, reason };
  return stop('harm', null, `${reason}; control is kept`);
}

/** What keeps it from a conclusion other than harm, or null. */
function waitingFor({ live, counts, entry, age_ms, split, raters }: Seen): string | null {
  const { units_min, hours_min } = entry.stop;
  if (split.state !== 'ok') return 'held: units hardly fall into the arms as the shares say';
  if (raters !== null && raters.state !== 'ok') return 'held: the arms differ in how many rate';
  const least = Math.min(...live.map((arm) => unitsOf(counts, arm, 'assigned')));
  if (least < units_min) return `${least} of ${units_min} units in the smallest arm`;
  const hours = age_ms / HOUR_MS;
  return hours < hours_min ? `${numberText(hours)} of ${hours_min} hours` : null;
}

function winnerOf({ live, comparisons }: Seen): AbComparison | null {
  const better = comparisons.filter(
    ({ arm, role, proven }) => role === 'primary' && proven === 'better' && live.includes(arm),
  );
  return better.sort((left, right) => gainOf(right) - gainOf(left))[0] ?? null;
}

function gainOf({ metric, change }: AbComparison): number {
  return (change ?? 0) * (AB_METRICS[metric].better === 'lower' ? -1 : 1);
}

/** Whether every arm that is served is proven to gain less than what matters. */
function isFutile({ live, comparisons, entry }: Seen): boolean {
  const { min_effect } = entry.stop;
  const own = comparisons.filter(({ arm, role }) => role === 'primary' && live.includes(arm));
  const { better } = AB_METRICS[entry.metric];
  return (
    min_effect > 0 &&
    own.every(({ low, high }) =>
      better === 'lower' ? low > -min_effect : high !== null && high < min_effect,
    )
  );
}

function overOf({ entry, counts, age_ms }: Seen): string | null {
  const { units_max, days_max } = entry.stop;
  const units = armsOf(entry).reduce((sum, [arm]) => sum + unitsOf(counts, arm, 'assigned'), 0);
  if (units >= units_max) return `${units} units were counted`;
  return age_ms >= days_max * 24 * HOUR_MS ? `${days_max} days are over` : null;
}

function sentenceOf(seen: Seen, step: AbStep): string {
  if (step.kind === 'stop') return step.verdict.sentence;
  if (step.kind === 'drop') return step.reason;
  const told = treatmentsOf(seen.entry)
    .filter((arm) => seen.live.includes(arm))
    .flatMap((arm) => seen.comparisons.filter((one) => one.arm === arm && one.role === 'primary'))
    .map((one) => `${one.arm}: ${toldOf(one)}`);
  return [waitingFor(seen) ?? 'nothing is proven yet', ...told].join('; ');
}

function toldOf({ of, change, low, high }: AbComparison): string {
  if (change === null) return `${of} cannot be compared yet`;
  return `${of} ${changeText(change)} (${changeText(low)} to ${changeText(high)})`;
}

function percentOf(share: number): string {
  return `${numberText(share * 100)} %`;
}
