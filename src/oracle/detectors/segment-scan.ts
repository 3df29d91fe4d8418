import { z } from 'zod';
import type { DetectorDefinition, FindingDraft } from '../../core/finding.ts';
import { quantileDraft } from '../../core/findings/quantile-draft.ts';
import { testQuantile } from '../../core/findings/quantiles.ts';
import { rateDraft } from '../../core/findings/rate-draft.ts';
import { type Candidate, holding, isMissing, testRate, weekly } from '../../core/findings/rates.ts';
import {
  cellName,
  countOf,
  plannedCells,
  rateOf,
  type Scene,
  scannedCells,
  sceneOf,
} from '../../core/findings/scene.ts';
import { milliseconds, percent } from '../../core/findings/words.ts';
import { isGood, type SegmentObservation, type UnitMetric } from '../../core/observation.ts';
import { sketchQuantile } from '../../core/sketch.ts';

const options = z.strictObject({
  units_min: z.int().min(1).default(20),
  events_min: z.int().min(1).default(5),
  /** The expected share of false ones among what the scan tells (Benjamini and Hochberg). */
  q: z.number().gt(0).lt(1).default(0.1),
  /** The level at which the other half of the units must show it as well. */
  confirm: z.number().gt(0).lt(1).default(0.05),
  margin: z.number().min(0).default(0.05),
  correlation: z.number().min(0).max(1).default(0.1),
});
type Options = z.infer<typeof options>;

/** Told by detectors of their own for agents and targets; here only of smaller cells. */
const JUDGED: readonly string[] = [
  'error',
  'slow',
  'dissatisfied',
  'abort',
  'retry',
  'regeneration',
  'reask',
];
type Asked = { readonly p: number; readonly clears: boolean } | null;

/** One question that can be put to the whole window, or to one half of its units. */
interface Question {
  readonly cell: SegmentObservation;
  readonly ask: (scene: Scene, cell: SegmentObservation) => Asked;
  /** `other` is the half that had no part in choosing it: its estimate is not too large. */
  readonly say: (scene: Scene, other: Scene) => FindingDraft | null;
}

/**
 * Goes through tenants, categories, targets within categories, and the signals that have no
 * detector of their own. A scan picks what looks worst, and what looks worst is partly luck; so
 * what one half of the units shows must be shown by the other half, which had no part in choosing.
 */
export const definition: DetectorDefinition<Options> = {
  name: 'segment-scan',
  summary:
    'Smaller segments and further signals, found in one half of units, confirmed in the other.',
  options,
  create: (settings, host) => (observation) => {
    const scene = sceneOf(observation, host);
    const questions = questionsOf(scene, settings);
    const halves = scene.halves.map((now): Scene => ({ ...scene, now }));
    const found = new Map<Question, Scene>();
    for (const [picking, other] of [halves, halves.toReversed()] as [Scene, Scene][]) {
      const candidates = questions.flatMap((question): Candidate<Question>[] => {
        const asked = askIn(picking, question);
        if (!asked) return [];
        return [{ p_week: weekly(scene, asked.p), clears: asked.clears, said: question }];
      });
      for (const question of holding(candidates, settings.q)) {
        const confirmed = askIn(other, question);
        if (confirmed !== null && confirmed.p <= settings.confirm) found.set(question, other);
      }
    }
    const findings = [...found].flatMap(([question, other]) => question.say(scene, other) ?? []);
    return { findings, insufficient: [] };
  },
};

function askIn(half: Scene, { cell, ask }: Question): Asked {
  const own = half.now.get(cellName(cell.segment));
  return own ? ask(half, own) : null;
}

function questionsOf(scene: Scene, settings: Options): readonly Question[] {
  const scanned = scannedCells(scene).flatMap((cell) => [
    ...metricsOf(cell).map((metric) => rateQuestion(cell, metric, settings)),
    latencyQuestion(cell, settings),
  ]);
  const planned = plannedCells(scene).flatMap((cell) =>
    metricsOf(cell)
      .filter((metric) => !JUDGED.includes(metric))
      .map((metric) => rateQuestion(cell, metric, settings)),
  );
  return [...planned, ...scanned];
}

function metricsOf(cell: SegmentObservation): readonly UnitMetric[] {
  const metrics = Object.keys(cell.rates) as UnitMetric[];
  return metrics.filter((metric) => !isGood(metric));
}

function rateQuestion(cell: SegmentObservation, metric: UnitMetric, settings: Options): Question {
  const testIn = (scene: Scene, one: SegmentObservation) => {
    const test = testRate(scene, one, metric, settings);
    return test === null || isMissing(test) ? null : test;
  };
  return {
    cell,
    ask: testIn,
    say(scene, other) {
      const test = testIn(scene, cell);
      if (!test?.clears) return null;
      const half = other.now.get(cellName(cell.segment));
      const also = half ? halfWords(percent(rateOf(countOf(half, metric)))) : '';
      return rateDraft(scene, test, { level: 'investigate', confirmed: true, also });
    },
  };
}

function latencyQuestion(cell: SegmentObservation, settings: Options): Question {
  const testIn = (scene: Scene, one: SegmentObservation) => {
    const test = testQuantile(scene, one, 'latency_ms', 0.5, settings);
    return test === null || isMissing(test) ? null : test;
  };
  return {
    cell,
    ask: testIn,
    say(scene, other) {
      const test = testIn(scene, cell);
      if (!test?.clears) return null;
      const sketch = other.now.get(cellName(cell.segment))?.quantities.latency_ms;
      const also = sketch ? halfWords(milliseconds(sketchQuantile(sketch, 0.5))) : '';
      return quantileDraft(scene, test, { level: 'investigate', also });
    },
  };
}

/** What was picked for looking worst looks worse than it is (the winner's curse). */
function halfWords(value: string): string {
  return ` In the half of the units that had no part in picking it out, it is ${value}.`;
}
