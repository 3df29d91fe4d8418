import type { Step } from '../../../src/core/series/detector.ts';

/** What is asked of a detector on one series: `[first row, last row]` of what is odd. */
export interface Asked {
  readonly rows: number;
  readonly odd: readonly (readonly [number, number])[];
}

/** A detector's answer to one series. */
export interface Answered extends Asked {
  readonly steps: readonly Step[];
}

export interface Tally {
  readonly found: number;
  readonly missed: number;
  /** Alarms outside of every window. */
  readonly false_alarms: number;
  /** A. Lavin and S. Ahmad 2015, weights of the standard profile, before scaling. */
  readonly points: number;
}

/** The share of a series that is windows, as the Numenta benchmark lays them around what is odd. */
const WINDOW_SHARE = 0.1;
/** The share at the beginning that is not judged, and its most rows. */
const PROBATION = { share: 0.15, rows_max: 750 };
const FALSE_ALARM = 0.11;

export function windowsOf({ rows, odd }: Asked): readonly (readonly [number, number])[] {
  const half = Math.round((WINDOW_SHARE * rows) / Math.max(1, odd.length) / 2);
  return odd.map(([from, to]) => {
    const middle = Math.round((from + Math.min(to, from + 2 * half)) / 2);
    return [Math.max(0, middle - half), Math.min(rows - 1, middle + half)] as const;
  });
}

export function probationOf(rows: number): number {
  return Math.floor(Math.min(PROBATION.share * rows, PROBATION.rows_max));
}

const sigmoid = (place: number): number => 2 / (1 + Math.exp(5 * place)) - 1;

type Window = readonly [number, number];

/** What a false alarm costs: less right after a window. */
function falsePoints(row: number, windows: readonly Window[]): number {
  const last = windows.filter(([, to]) => to < row).at(-1);
  if (!last) return -FALSE_ALARM;
  const width = last[1] - last[0] + 1;
  return FALSE_ALARM * (row - last[1] < 3 * width ? sigmoid((row - last[1]) / width) : -1);
}

/** Counts, with a row an alarm where `raised` says so. */
export function tallyOf(asked: Asked, raised: (row: number) => boolean): Tally {
  const windows = windowsOf(asked);
  const hit = new Set<Window>();
  let [false_alarms, points] = [0, 0];
  for (let row = probationOf(asked.rows); row < asked.rows; row += 1) {
    if (!raised(row)) continue;
    const inside = windows.find(([from, to]) => from <= row && row <= to);
    if (!inside) {
      false_alarms += 1;
      points += falsePoints(row, windows);
    } else if (!hit.has(inside)) {
      hit.add(inside);
      const place = (row - inside[1] - 1) / (inside[1] - inside[0] + 1);
      points += sigmoid(place) / sigmoid(-1);
    }
  }
  const missed = windows.length - hit.size;
  return { found: hit.size, missed, false_alarms, points: points - missed };
}

export interface Verdict {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** 100 is all found at once and no false alarm, 0 is never an alarm. */
  readonly nab: number;
}

export function verdictOf(tallies: readonly Tally[]): Verdict {
  const sum = (of: (tally: Tally) => number) => tallies.reduce((total, one) => total + of(one), 0);
  const found = sum(({ found: one }) => one);
  const missed = sum(({ missed: one }) => one);
  const wrong = sum(({ false_alarms }) => false_alarms);
  const precision = found / Math.max(1, found + wrong);
  const recall = found / Math.max(1, found + missed);
  const windows = Math.max(1, found + missed);
  return {
    precision,
    recall,
    f1: (2 * precision * recall) / Math.max(1e-9, precision + recall),
    nab: (50 * (sum(({ points }) => points) + windows)) / windows,
  };
}

export function verdictOfAlarms(answers: readonly Answered[]): Verdict {
  return verdictOf(answers.map((one) => tallyOf(one, (row) => one.steps[row]?.alarm === true)));
}

/** The best of all thresholds on the score, one for all series, as the benchmark chooses it. */
export function bestByScore(
  answers: readonly Answered[],
): Verdict & { readonly threshold: number } {
  const thresholds = Array.from({ length: 40 }, (_, index) => 0.02 + 0.0251 * index);
  return thresholds
    .map((threshold) => ({
      threshold,
      ...verdictOf(
        answers.map((one) => tallyOf(one, (row) => (one.steps[row]?.score ?? 0) >= threshold)),
      ),
    }))
    .reduce((best, one) => (one.nab > best.nab ? one : best));
}

/** Average precision of the score over rows, those in windows being the positives. */
export function averagePrecision({ steps, ...asked }: Answered): number {
  const windows = windowsOf(asked);
  const first = probationOf(asked.rows);
  const rows = steps
    .map(({ score }, row) => ({
      score,
      odd: windows.some(([from, to]) => from <= row && row <= to),
    }))
    .slice(first)
    .sort((left, right) => right.score - left.score);
  const positives = rows.filter(({ odd }) => odd).length;
  if (positives === 0) return 0;
  let [hits, sum, seen] = [0, 0, 0];
  // Ties are taken together, or their order would be luck.
  for (let at = 0; at < rows.length; ) {
    const { score } = rows[at] as { score: number };
    let fresh = 0;
    while (at < rows.length && rows[at]?.score === score) {
      if (rows[at]?.odd) fresh += 1;
      at += 1;
    }
    seen = at;
    hits += fresh;
    sum += (fresh * hits) / seen;
  }
  return sum / positives;
}
