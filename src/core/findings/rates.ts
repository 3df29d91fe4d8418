import type { Insufficient } from '../finding.ts';
import type { SegmentObservation, UnitMetric } from '../observation.ts';
import { benjaminiHochberg, pOverLooks } from '../statistics/multiplicity.ts';
import {
  binomialTail,
  type Count,
  extraRiseTail,
  fisherTail,
  pDispersed,
} from '../statistics/tails.ts';
import { wilsonInterval } from '../statistics.ts';
import { cellName, countOf, rateOf, type Scene, seriesOf } from './scene.ts';
import { rateDispersion } from './seasons.ts';
import { type RateYardstick, rateYardsticks } from './yardsticks.ts';

/** Units and units with the event below which a rate says nothing. */
export interface RateSettings {
  readonly units_min: number;
  readonly events_min: number;
}

/** One rate of one cell against its yardstick. */
export interface RateTest {
  readonly cell: SegmentObservation;
  readonly metric: UnitMetric;
  readonly count: Count;
  readonly yardstick: RateYardstick;
  readonly interval: readonly [number, number];
  /** One-sided, of this look alone. */
  readonly p: number;
  /** Whether there is enough and the 95 % Wilson bound lies above the yardstick. */
  readonly clears: boolean;
}

export type Missing = Omit<Insufficient, 'detector'>;

/** A test, what it lacks, or null where there is nothing to ask. */
export function testRate(
  scene: Scene,
  cell: SegmentObservation,
  metric: UnitMetric,
  settings: RateSettings,
): RateTest | Missing | null {
  const count = countOf(cell, metric);
  const { units_min, events_min } = settings;
  if (count.units < units_min) return missingUnits(scene, cell, metric, count, units_min);
  const yardsticks = rateYardsticks(scene, cell, metric, units_min);
  if (yardsticks.length === 0)
    return count.events > 0 ? noYardstick(scene, cell, metric, units_min) : null;
  const rate = rateOf(count);
  const few = count.events < events_min;
  if (few && yardsticks.some(({ value }) => rate > value)) {
    const required = Math.ceil(events_min / rate);
    return missingUnits(scene, cell, metric, count, required);
  }
  const interval = wilsonInterval(count.events, count.units);
  const tests = yardsticks.map((yardstick): RateTest => {
    const { here, value } = yardstick;
    const bound = yardstick.kind === 'season' ? wilsonInterval(here.events, here.units)[0] : 1;
    const scale = yardstick.kind === 'season' ? value / Math.max(rate, 1e-12) : 0;
    const clears = !few && interval[0] > value && bound > rateOf(here) * scale;
    const p = Math.min(1, pOf(scene, cell, metric, yardstick) * yardsticks.length);
    return { cell, metric, count, yardstick, interval, clears, p };
  });
  return fairest(tests);
}

/** The first yardstick that already says it beyond doubt; else the one that says it most. */
function fairest(tests: readonly RateTest[]): RateTest {
  const sure = tests.find(({ clears, p }) => clears && p < 1e-4);
  return sure ?? ([...tests].sort((left, right) => left.p - right.p)[0] as RateTest);
}

function pOf(
  scene: Scene,
  { segment }: SegmentObservation,
  metric: UnitMetric,
  { here, there, value, peers }: RateYardstick,
): number {
  if (there === null) return binomialTail(here, value);
  const dispersion = rateDispersion(scene, seriesOf(scene, segment, metric));
  const p = pDispersed(fisherTail(here, there), dispersion);
  if (peers === null) return p;
  const { here: peers_here, there: peers_there } = peers;
  const extra = extraRiseTail({ here, there, peers_here, peers_there });
  return Math.max(p, pDispersed(extra, dispersion));
}

function missingUnits(
  { observation }: Scene,
  cell: SegmentObservation,
  metric: UnitMetric,
  { units }: Count,
  required: number,
): Missing {
  const span_ms = observation.window.to_ms - observation.window.from_ms;
  const left = Math.max(0, required - units);
  const eta_ms = units > 0 ? Math.round(observation.at_ms + (left / units) * span_ms) : null;
  return { segment: cell.segment, metric, units, required, of: 'units', eta_ms };
}

/** The policy states no threshold for it, and the past has no whole day yet. */
function noYardstick(
  { observation, past }: Scene,
  { segment }: SegmentObservation,
  metric: UnitMetric,
  required: number,
): Missing {
  const { units } = countOf(past.get(cellName(segment)), metric);
  return { segment, metric, units, required, of: 'units', eta_ms: observation.at_ms + DAY_MS };
}
const DAY_MS = 24 * 3_600_000;

export const isMissing = (result: object): result is Missing => 'required' in result;

/** What a detector asked, and what it would say: one hypothesis of its family. */
export interface Candidate<Said> {
  /** The p value, raised for being looked at all week. */
  readonly p_week: number;
  readonly clears: boolean;
  readonly said: Said;
}

export function weekly(scene: Scene, p: number): number {
  return pOverLooks(p, scene.windows_a_week);
}

/**
 * Which candidates hold: those that clear their yardstick, and whose p values pass Benjamini and
 * Hochberg's procedure among all that the detector asked. Where nothing is wrong, the expected
 * number of false ones a week is about `q`.
 */
export function holding<Said>(candidates: readonly Candidate<Said>[], q: number): readonly Said[] {
  const rejected = benjaminiHochberg(
    candidates.map(({ p_week }) => p_week),
    q,
  );
  return candidates
    .filter(({ clears }, index) => clears && rejected[index])
    .map(({ said }) => said);
}

/**
 * Whether both halves of the units show it: each one's rate lies above the yardstick. Null where a
 * half has fewer than `units_min` units.
 */
export function shownInHalves(scene: Scene, test: RateTest, units_min = 10): boolean | null {
  const counts = halfCounts(scene, test.cell, test.metric);
  if (counts.some(({ units }) => units < units_min)) return null;
  return counts.every((count) => rateOf(count) > test.yardstick.value);
}

export function halfCounts(
  { halves }: Scene,
  { segment }: SegmentObservation,
  metric: UnitMetric,
): readonly [Count, Count] {
  const [left, right] = halves.map((cells) => countOf(cells.get(cellName(segment)), metric));
  return [left as Count, right as Count];
}
