import { z } from 'zod';
import type { FindingDraft } from '../../core/finding.ts';
import { type Asked, familyDetector } from '../../core/findings/family.ts';
import { rateSeverity } from '../../core/findings/rate-draft.ts';
import { weekly } from '../../core/findings/rates.ts';
import { cellName, rateOf, type Scene } from '../../core/findings/scene.ts';
import { against, percent, placeOf, thousands } from '../../core/findings/words.ts';
import type { SegmentObservation } from '../../core/observation.ts';
import { type Count, fisherTail } from '../../core/statistics/tails.ts';
import { wilsonInterval } from '../../core/statistics.ts';

const options = z.strictObject({
  /** Calls with the class, and a past of so many calls, below which nothing is said. */
  events_min: z.int().min(1).default(10),
  past_calls_min: z.int().min(1).default(200),
  q: z.number().gt(0).lt(1).default(0.05),
  /** Failures of one user and of one incident come together: Kish's correlation. */
  correlation: z.number().min(0).max(1).default(0.3),
});
type Options = z.infer<typeof options>;

/**
 * Which class of failures grew: a target that is rate limited needs another cure than one that
 * times out. It counts attempts' failures in calls, also those that a retry or a fallback then
 * cured.
 */
export const definition = familyDetector<Options>({
  name: 'error-class',
  summary: 'Classes of failed attempts that grew, against the cell’s own past.',
  options,
  ask: classesOf,
});

function classesOf(
  scene: Scene,
  cell: SegmentObservation,
  { events_min, past_calls_min, correlation }: Options,
): readonly Asked[] {
  const past = scene.past.get(cellName(cell.segment));
  if (!past || past.calls < past_calls_min) return [];
  const design = 1 + Math.max(0, cell.calls / Math.max(1, cell.users) - 1) * correlation;
  return Object.entries(cell.errors_by_class).map(([name, events]) => {
    const here = { units: cell.calls, events: Math.min(events, cell.calls) };
    const there = {
      units: past.calls,
      events: Math.min(past.errors_by_class[name] ?? 0, past.calls),
    };
    const p = fisherTail(deflate(here, design), deflate(there, design));
    const clears = events >= events_min && intervalOf(here, design)[0] > rateOf(there);
    const said = () => draftOf(scene, cell, name, { here, there, design, p });
    return { p_week: weekly(scene, p), clears, said };
  });
}

const deflate = ({ units, events }: Count, design: number): Count => ({
  units: Math.max(1, units / design),
  events: events / design,
});

function intervalOf(count: Count, design: number): readonly [number, number] {
  const { units, events } = deflate(count, design);
  return wilsonInterval(events, units);
}

interface Grown {
  readonly here: Count;
  readonly there: Count;
  readonly design: number;
  readonly p: number;
}

function draftOf(
  scene: Scene,
  cell: SegmentObservation,
  name: string,
  { here, there, design, p }: Grown,
): FindingDraft {
  const [estimate, value] = [rateOf(here), rateOf(there)];
  const all = Object.values(cell.errors_by_class).reduce((sum, one) => sum + one, 0);
  const yardstick = { kind: 'past', value } as const;
  const interval = intervalOf(here, design);
  const range = `95 % interval ${percent(interval[0])} to ${percent(interval[1])}`;
  const { thresholds, at_ms } = scene.observation;
  return {
    since_ms: at_ms,
    segment: cell.segment,
    metric: 'error',
    measure: 'share',
    level: 'investigate',
    direction: 'worse',
    estimate,
    effect: estimate - value,
    interval,
    yardstick,
    p,
    e: null,
    confirmed: null,
    n: here.events,
    units: here.units,
    severity: rateSeverity('error', estimate, estimate - value, thresholds),
    text:
      `${thousands(here.events)} of ${thousands(here.units)} calls of ${placeOf(cell.segment)} ` +
      `met ${name}: ${percent(estimate)} (${range}), ${against(yardstick, percent(value))}. ` +
      `It is ${percent(all > 0 ? here.events / all : 0)} of all failed attempts.`,
    disproof: `Wrong if ${name} is back at ${percent(value)} among as many calls.`,
    evidence: cell.evidence,
  };
}
