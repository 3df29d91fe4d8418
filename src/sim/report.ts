import type { Compared, Score } from './score.ts';
import type { Judged } from './truth.ts';

/** What a run of a world came to, of either driver. Times are days of the world. */
export interface SimReport {
  readonly world: string;
  readonly seed: number;
  readonly driver: 'in_process' | 'http';
  readonly days: number;
  readonly calls: number;
  readonly feedback: number;
  readonly ticks: number;
  /** Each once, however long it stood. */
  readonly findings: readonly FoundRow[];
  readonly truths: readonly TruthRow[];
  readonly changes: readonly ChangeRow[];
  readonly nothing: Score;
  readonly loop: Score;
  readonly omniscient: Score;
  readonly compared: Compared;
}

export interface FoundRow {
  readonly day: number;
  readonly detector: string;
  readonly level: string;
  readonly severity: string;
  readonly agent: string;
  readonly target: string | null;
  readonly tenant: string | null;
  readonly category: string | null;
  readonly metric: string;
  readonly direction: string;
  readonly judged: Judged;
  readonly text: string;
}

export interface TruthRow {
  readonly what: string;
  readonly agent: string;
  readonly from_day: number;
  /** Null where it was never found. */
  readonly found_day: number | null;
  /** The level at which it was found, the firmest. */
  readonly level: string | null;
  /** Calls of its cell from when it began until it was found, or the end. */
  readonly calls: number;
}

export interface ChangeRow {
  readonly day: number;
  readonly type: string;
  readonly agent: string;
  readonly patch: unknown;
  readonly state: string;
  readonly reason: string | null;
  readonly ended_day: number | null;
  /** What it is worth in truth, in USD a call, at the time: null where a world cannot say. */
  readonly worth_usd: number | null;
}

/** The part of what was to be gained that was gained; null where there was nothing to gain. */
export function gainedOf({ nothing, loop, omniscient }: SimReport): number | null {
  const possible = omniscient.utility_usd - nothing.utility_usd;
  if (possible <= Math.abs(nothing.utility_usd) * 0.001) return null;
  return (loop.utility_usd - nothing.utility_usd) / possible;
}

/** Several runs of a world with different seeds. */
export interface Summary {
  readonly world: string;
  readonly seeds: readonly [first: number, last: number];
  readonly runs: number;
  readonly weeks: number;
  /** Findings of nothing, in all and at the level at which the oracle acts. */
  readonly false_findings: number;
  readonly false_at_act: number;
  readonly false_per_week: number;
  readonly runs_with_false_at_act: number;
  readonly truths: number;
  readonly found: number;
  /** Found within so many calls of their cell. */
  readonly found_within: { readonly calls: number; readonly found: number };
  readonly calls_median: number | null;
  readonly promoted: number;
  readonly promoted_bad: number;
  readonly withdrawn: number;
  readonly gained_mean: number | null;
  readonly worse: number;
  readonly better: number;
  readonly visits: number;
}

export const FOUND_WITHIN_CALLS = 2000;

export function summaryOf(reports: readonly SimReport[]): Summary {
  const [first] = reports;
  if (!first) throw new RangeError('there is no run to sum up');
  const truths = reports.flatMap((report) => report.truths);
  const found = truths.filter(({ found_day }) => found_day !== null);
  const wrong = reports.map(({ findings }) => findings.filter(({ judged }) => judged === 'false'));
  const acting = wrong.map((rows) => rows.filter(({ level }) => level === 'act').length);
  const changes = reports.flatMap((report) => report.changes);
  const promoted = changes.filter(({ state }) => state === 'applied');
  const gains = reports.flatMap((report) => gainedOf(report) ?? []);
  const weeks = reports.reduce((sum, { days }) => sum + days / 7, 0);
  const false_findings = sumOf(wrong.map((rows) => rows.length));
  const calls = found.map((truth) => truth.calls).sort((left, right) => left - right);
  return {
    world: first.world,
    seeds: [first.seed, reports.at(-1)?.seed ?? first.seed],
    runs: reports.length,
    weeks,
    false_findings,
    false_at_act: sumOf(acting),
    false_per_week: false_findings / weeks,
    runs_with_false_at_act: acting.filter((count) => count > 0).length,
    truths: truths.length,
    found: found.length,
    found_within: {
      calls: FOUND_WITHIN_CALLS,
      found: found.filter((truth) => truth.calls <= FOUND_WITHIN_CALLS).length,
    },
    calls_median: calls[Math.floor(calls.length / 2)] ?? null,
    promoted: promoted.length,
    promoted_bad: promoted.filter(({ worth_usd }) => worth_usd !== null && worth_usd < 0).length,
    withdrawn: changes.filter(({ state }) => state === 'withdrawn').length,
    gained_mean: gains.length === 0 ? null : sumOf(gains) / gains.length,
    worse: sumOf(reports.map(({ compared }) => compared.worse)),
    better: sumOf(reports.map(({ compared }) => compared.better)),
    visits: sumOf(reports.map(({ loop }) => loop.visits)),
  };
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
