import type { Series } from '../observation.ts';
import { mean } from '../series/numbers.ts';
import {
  type Count,
  extraRiseTail,
  fisherTail,
  pDispersed,
  studentTail,
} from '../statistics/tails.ts';
import {
  DAYS_MIN,
  EARLIER_MIN,
  type Line,
  lineOf,
  type Rise,
  riseSince,
  type Step,
} from './level-line.ts';
import { addCounts, rateOf, type Scene } from './scene.ts';
import { hourOf, rateDispersion, stepsOf } from './seasons.ts';

/** How many of the last steps are held against those before: a short trouble and a long one. */
const LAST_STEPS = [1, 2, 3, 4, 6, 8, 12, 18, 24];
/** Student's 97.5 % point at 20 degrees of freedom: the fewest that there usually are. */
const T_95 = 2.086;
const WEEK_MS = 7 * 24 * 3_600_000;

/** The newest steps of a series against those before them. */
export interface Onset<Side> {
  /** When the first of the newest steps began. */
  readonly since_ms: number;
  readonly steps: number;
  readonly here: Side;
  readonly there: Side;
  /** Of the best beginning, multiplied by how many were tried; not yet for repeated looks. */
  readonly p: number;
  /** Spans of this length in a week. */
  readonly windows: number;
  /** Of a level: its 95 % interval as a factor, `here` divided and multiplied by it. */
  readonly factor: number;
}

/** The steps with a value up to the window's end, oldest first; a week of them and the window. */
function stepsKnown({ observation, once }: Scene, series: Series): readonly Step[] {
  return once(series, 'known', () => {
    const { to_ms, from_ms } = observation.window;
    return stepsOf(series, { from_ms: from_ms - WEEK_MS, to_ms }).flatMap(({ index, at_ms }) =>
      (series.counts[index] ?? 0) > 0 ? [{ index, hour: hourOf(at_ms, series.step_ms) }] : [],
    );
  });
}

interface Split {
  readonly last: readonly Step[];
  readonly earlier: readonly Step[];
}

/** Ways to cut the window's newest steps off from those before. */
function splitsOf(scene: Scene, series: Series): readonly Split[] {
  return scene.once(series, 'splits', () => newSplits(scene, series));
}

function newSplits(scene: Scene, series: Series): readonly Split[] {
  const steps = stepsKnown(scene, series);
  const from = scene.observation.window.from_ms;
  return LAST_STEPS.flatMap((length) => {
    const last = steps.slice(-length);
    const [first] = last;
    if (last.length < length || !first) return [];
    if (series.from_ms + first.index * series.step_ms < from) return [];
    const before = steps.slice(0, -length);
    return before.length >= EARLIER_MIN ? [{ last, earlier: before }] : [];
  });
}

/** Those before at the same hours, where three days have them. */
function atSameHours({ last, earlier }: Split): readonly Step[] {
  const hours = new Set(last.map(({ hour }) => hour));
  const alike = earlier.filter(({ hour }) => hours.has(hour));
  return alike.length >= DAYS_MIN * hours.size ? alike : earlier;
}

/** The same steps of another series; those without a value are left out. */
function sameSteps(of: Series, steps: readonly Step[], other: Series): readonly Step[] {
  return steps.flatMap(({ index, hour }) => {
    const at_ms = of.from_ms + index * of.step_ms;
    const place = Math.round((at_ms - other.from_ms) / other.step_ms);
    const known = (other.counts[place] ?? 0) > 0 && (other.values[place] ?? null) !== null;
    return known ? [{ index: place, hour }] : [];
  });
}

function countIn({ counts, values }: Series, steps: readonly Step[]): Count {
  return addCounts(
    steps.map(({ index }) => {
      const units = counts[index] ?? 0;
      return { units, events: units * (values[index] ?? 0) };
    }),
  );
}

/**
 * Since when a rate is higher, if it is: by Fisher's exact test on units of steps, and beyond what
 * `peers` rose by in the same steps.
 */
export function rateOnset(
  scene: Scene,
  series: Series | undefined,
  peers: readonly Series[],
): Onset<Count> | null {
  if (!series) return null;
  const dispersion = rateDispersion(scene, series);
  return bestOf(scene, series, (split) => {
    const { last } = split;
    const earlier = atSameHours(split);
    const [here, there] = [countIn(series, last), countIn(series, earlier)];
    if (rateOf(here) <= rateOf(there)) return null;
    const [peers_here, peers_there] = [last, earlier].map((steps) =>
      addCounts(peers.map((peer) => countIn(peer, sameSteps(series, steps, peer)))),
    ) as [Count, Count];
    const alone = peers_here.units === 0 || peers_there.units === 0;
    const extra = alone ? 0 : extraRiseTail({ here, there, peers_here, peers_there });
    const p = Math.max(fisherTail(here, there), extra);
    return { here, there, p: pDispersed(p, dispersion), factor: 1 };
  });
}

/**
 * Since when a level is higher, on the log scale: Student's t of the newest steps against the
 * spread of those before, each about the median of its hour, less what `peers` rose by.
 */
export function levelOnset(
  scene: Scene,
  series: Series | undefined,
  peers: readonly Series[],
): Onset<number> | null {
  if (!series) return null;
  const line = lineIn(scene, series);
  const others = peers.map((peer) => lineIn(scene, peer));
  return bestOf(scene, series, ({ last }) => {
    const since_ms = series.from_ms + (last[0]?.index ?? 0) * series.step_ms;
    const own = riseIn(scene, line, since_ms);
    if (own === null || own.rise <= 0) return null;
    const rises = others.flatMap((other) => riseIn(scene, other, since_ms) ?? []);
    const common = rises.length > 0 ? Math.max(0, mean(rises.map(({ rise }) => rise))) : 0;
    const rise = own.rise - common;
    if (rise <= 0) return null;
    const shared = common > 0 ? rises.map(({ error }) => error / rises.length) : [];
    const error = Math.hypot(own.error, ...shared);
    const here = Math.exp(own.level);
    return {
      here,
      there: here * Math.exp(-rise),
      p: studentTail(rise / error, own.df),
      factor: Math.exp(T_95 * error),
    };
  });
}

/** A target is asked of itself, and as a peer of the others. */
function lineIn(scene: Scene, series: Series): Line {
  return scene.once(series, 'line', () => lineOf(series, stepsKnown(scene, series)));
}

function riseIn(scene: Scene, line: Line, since_ms: number): Rise | null {
  return scene.once(line, `since ${since_ms}`, () => riseSince(line, since_ms));
}

function bestOf<Side>(
  scene: Scene,
  series: Series,
  test: (split: Split) => Pick<Onset<Side>, 'here' | 'there' | 'p' | 'factor'> | null,
): Onset<Side> | null {
  const splits = splitsOf(scene, series);
  const onsets = splits.flatMap((split): Onset<Side>[] => {
    const tested = test(split);
    if (!tested) return [];
    const first = split.last[0]?.index ?? 0;
    const since_ms = series.from_ms + first * series.step_ms;
    const steps = split.last.length;
    const windows = WEEK_MS / (steps * series.step_ms);
    return [{ ...tested, since_ms, steps, windows, p: Math.min(1, tested.p * splits.length) }];
  });
  return onsets.sort((left, right) => left.p - right.p)[0] ?? null;
}
