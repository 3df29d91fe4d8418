import type { LeafHost } from '../definition.ts';
import type {
  Observation,
  Segment,
  SegmentObservation,
  Series,
  UnitMetric,
  Window,
} from '../observation.ts';
import type { Count } from '../statistics/tails.ts';
import { createMemory, createOnce, type Memory, type Once, type Span } from './memory.ts';

/** An observation with its cells by name; made once for all detectors of a host. */
export interface Scene {
  readonly observation: Observation;
  readonly now: Cells;
  readonly past: Cells;
  readonly halves: readonly [Cells, Cells];
  readonly series: ReadonlyMap<string, Series>;
  /** Windows of this length in a week: how often independent data may deceive. */
  readonly windows_a_week: number;
  /** What is made of something in this observation, once. */
  readonly once: Once;
  readonly memory: Memory;
  /**
   * What is made of a series' whole steps and the window's place among them: once for all
   * detectors, and not again while every step is as it was in the look before. Its series is the
   * one that is asked for, whose newest step may be another.
   */
  bySteps<Made extends OfSeries>(series: Series, make: () => Made | null): Made | null;
}
interface OfSeries {
  readonly series: Series;
}
export type Cells = ReadonlyMap<string, SegmentObservation>;

const WEEK_MS = 7 * 24 * 3_600_000;

export function sceneOf(observation: Observation, host?: Pick<LeafHost, 'keep'>): Scene {
  const memory = host ? host.keep('scenes', createMemory) : createMemory();
  return memory.sceneOf(observation, () => newScene(observation, memory));
}

function newScene(observation: Observation, memory: Memory): Scene {
  const { window, halves, series } = observation;
  const once = createOnce();
  const named = (cells: readonly SegmentObservation[]): Cells =>
    new Map(cells.map((cell) => [cellName(cell.segment), cell]));
  return {
    observation,
    now: named(observation.segments),
    past: named(observation.past),
    halves: [named(halves[0]), named(halves[1])],
    series: new Map(
      // Where steps come in two lengths, the series that reaches back furthest is last.
      [...series]
        .sort((left, right) => spanOf(left) - spanOf(right))
        .map((one) => [`${cellName(one.segment)}|${one.metric}`, one]),
    ),
    windows_a_week: WEEK_MS / Math.max(1, window.to_ms - window.from_ms),
    once,
    memory,
    bySteps: (one, make) =>
      once(one, 'by steps', () => {
        const name = `${cellName(one.segment)}|${one.metric}|${one.step_ms}`;
        const kept = memory.keptOf(one, name, wholeSteps(one, window), make);
        return kept && { ...kept, series: one };
      }),
  };
}

/** The step that is not over yet is none of them. */
function wholeSteps(series: Series, { from_ms, to_ms }: Window): Span {
  const place = (ms: number): number => (ms - series.from_ms) / series.step_ms;
  const length = Math.min(series.values.length, Math.max(0, Math.floor(place(to_ms))));
  return { length, from: Math.min(length, Math.max(0, Math.ceil(place(from_ms)))) };
}

const spanOf = ({ values, step_ms }: Series): number => values.length * step_ms;

/** The same for null and for a key left out; no name in it holds a `|`. */
export function cellName({ agent, target, tenant, category }: Segment): string {
  return `${agent}|${target ?? ''}|${tenant ?? ''}|${category ?? ''}`;
}

export function seriesOf(
  scene: Scene,
  segment: Segment,
  metric: Series['metric'],
): Series | undefined {
  return scene.series.get(`${cellName(segment)}|${metric}`);
}

/** Which of a segment's dimensions are fixed. */
export function shapeOf({ target, tenant, category }: Segment): string {
  const fixed = [target && 'target', tenant && 'tenant', category && 'category'];
  return fixed.filter(Boolean).join('+') || 'agent';
}

/**
 * The cells that are judged whatever the data: each agent, and its targets where calls came to
 * several. An agent with one target is that target: it is judged once, as the agent.
 */
export function plannedCells({ now, once }: Scene): readonly SegmentObservation[] {
  return once(now, 'planned', () => planned(now));
}

function planned(now: Cells): readonly SegmentObservation[] {
  const cells = [...now.values()];
  const targets = (agent: string): number =>
    cells.filter(({ segment, calls }) => {
      return segment.agent === agent && shapeOf(segment) === 'target' && calls > 0;
    }).length;
  return cells.filter(({ segment }) => {
    const shape = shapeOf(segment);
    return shape === 'agent' || (shape === 'target' && targets(segment.agent) > 1);
  });
}

/** The other cells: those that a scan goes through. */
export function scannedCells(scene: Scene): readonly SegmentObservation[] {
  const planned = new Set(plannedCells(scene));
  return [...scene.now.values()].filter((cell) => {
    const shape = shapeOf(cell.segment);
    return !planned.has(cell) && shape !== 'target';
  });
}

/** The agent's other targets, in the same category where the cell is of one. */
export function peersOf(
  cells: Cells,
  { agent, target, tenant, category }: Segment,
): readonly SegmentObservation[] {
  if (target === null) return [];
  return [...cells.values()].filter(({ segment }) => {
    const same = segment.agent === agent && segment.target !== null && segment.target !== target;
    const mix = (segment.tenant ?? null) === (tenant ?? null);
    return same && mix && (segment.category ?? null) === (category ?? null);
  });
}

/** The peers in the window, looked for once. */
export function peersIn({ now, once }: Scene, segment: Segment): readonly SegmentObservation[] {
  if (segment.target === null) return [];
  return once(now, `peers of ${cellName(segment)}`, () => peersOf(now, segment));
}

const NONE: Count = { units: 0, events: 0 };

export function countOf(cell: SegmentObservation | undefined, metric: UnitMetric): Count {
  return cell?.rates[metric] ?? NONE;
}

export function addCounts(counts: readonly Count[]): Count {
  return counts.reduce(
    (sum, { units, events }) => ({ units: sum.units + units, events: sum.events + events }),
    NONE,
  );
}

export function rateOf({ units, events }: Count): number {
  return units > 0 ? events / units : 0;
}
