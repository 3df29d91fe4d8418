import { z } from 'zod';
import type { DetectorDefinition, FindingDraft } from '../../core/finding.ts';
import { type Candidate, holding, weekly } from '../../core/findings/rates.ts';
import { cellName, type Scene, sceneOf } from '../../core/findings/scene.ts';
import { against, list, percent, thousands } from '../../core/findings/words.ts';
import type { Load, Segment } from '../../core/observation.ts';
import { coefficientOfVariation, gini } from '../../core/statistics/inequality.ts';
import { binomialTail } from '../../core/statistics/tails.ts';
import { wilsonInterval } from '../../core/statistics.ts';

const options = z.strictObject({
  /** Calls below which a load says nothing of how it is spread. */
  calls_min: z.int().min(1).default(200),
  q: z.number().gt(0).lt(1).default(0.05),
  /** Underused is below this share of what the weights would give. */
  underused: z.number().gt(0).lt(1).default(0.5),
  /** Correlation of one user's calls: targets are chosen by the unit's hash. */
  correlation: z.number().min(0).max(1).default(1),
});
type Options = z.infer<typeof options>;

/**
 * How calls fall on targets, adapters and agents. A target that gets less than half of what its
 * weight promises is being passed over; an agent that nobody calls any more, and an adapter that
 * nobody uses, are told and no more.
 */
export const definition: DetectorDefinition<Options> = {
  name: 'usage-pattern',
  summary: 'Gini and variation of load; underused targets, idle adapters and agents.',
  options,
  create: (settings, host) => (observation) => {
    const scene = sceneOf(observation, host);
    const candidates = observation.loads.flatMap((load) => underused(scene, load, settings));
    const findings = holding(candidates, settings.q).map((draft) => draft());
    const idle = observation.loads.flatMap((load) => idleIn(scene, load, settings) ?? []);
    return { findings: [...findings, ...idle], insufficient: [] };
  },
};

const totalOf = ({ calls }: Load): number =>
  Object.values(calls).reduce((sum, one) => sum + one, 0);

function segmentOf(load: Load, name: string): Segment {
  if (load.agent === null) return { agent: name, target: null };
  return { agent: load.agent, target: load.kind === 'target' ? name : null };
}

function underused(
  scene: Scene,
  load: Load,
  settings: Options,
): readonly Candidate<() => FindingDraft>[] {
  const total = totalOf(load);
  const { expected, agent } = load;
  if (expected === null || total < settings.calls_min) return [];
  const cell = scene.now.get(cellName({ agent: agent ?? '', target: null }));
  const a_user = cell ? cell.calls / Math.max(1, cell.users) : 1;
  const design = 1 + Math.max(0, a_user - 1) * settings.correlation;
  return Object.entries(expected).flatMap(([name, share]) => {
    if (share <= 0 || share >= 1) return [];
    const calls = load.calls[name] ?? 0;
    const units = Math.round(total / design);
    // As few calls as this, seen as many that went elsewhere.
    const p = binomialTail({ units, events: Math.round((total - calls) / design) }, 1 - share);
    const clears = calls < settings.underused * share * total;
    const said = () => draftOf(scene, load, { name, share, calls, p });
    return [{ p_week: weekly(scene, p), clears, said }];
  });
}

interface Underused {
  readonly name: string;
  readonly share: number;
  readonly calls: number;
  readonly p: number;
}

function draftOf(scene: Scene, load: Load, { name, share, calls, p }: Underused): FindingDraft {
  const total = totalOf(load);
  const yardstick = { kind: 'weights', value: share } as const;
  const interval = wilsonInterval(calls, total);
  const range = `95 % interval ${percent(interval[0])} to ${percent(interval[1])}`;
  return {
    ...told(scene, segmentOf(load, name)),
    level: 'investigate',
    estimate: calls / total,
    effect: calls / total - share,
    interval,
    yardstick,
    p,
    n: calls,
    units: total,
    text:
      `${load.kind} ${name} of agent ${load.agent ?? name} got ${thousands(calls)} of ` +
      `${thousands(total)} calls: ${percent(calls / total)} (${range}), ` +
      `${against(yardstick, percent(share))}. ${spreadWords(load)}`,
    disproof: `Wrong if health or pins kept calls off ${name}: see its errors and breaker.`,
  };
}

function spreadWords(load: Load): string {
  const amounts = Object.values(load.calls);
  const [unequal, varied] = [gini(amounts), coefficientOfVariation(amounts)];
  if (unequal === null || varied === null) return '';
  const over = `Load over ${amounts.length} ${load.kind}s`;
  return `${over}: Gini ${unequal.toFixed(2)}, coefficient of variation ${varied.toFixed(2)}.`;
}

/** Names without a single call: agents that had some, and adapters beside a busy agent. */
function idleIn(
  scene: Scene,
  load: Load,
  settings: Options,
): FindingDraft | readonly FindingDraft[] {
  const idle = Object.keys(load.calls).filter((name) => load.calls[name] === 0);
  if (load.kind === 'agent') return idle.flatMap((name) => idleAgent(scene, name, settings) ?? []);
  const total = scene.now.get(cellName({ agent: load.agent ?? '', target: null }))?.calls ?? 0;
  if (load.kind !== 'adapter' || idle.length === 0 || total < settings.calls_min) return [];
  const names = `${idle.length === 1 ? 'Adapter' : 'Adapters'} ${list(idle)}`;
  return {
    ...told(scene, { agent: load.agent ?? '', target: null }),
    level: 'note',
    estimate: 0,
    effect: 0,
    interval: wilsonInterval(0, total),
    yardstick: { kind: 'weights', value: 0 },
    p: null,
    n: 0,
    units: total,
    text: `${names} of agent ${load.agent} answered none of its ${thousands(total)} calls.`,
    disproof: 'Wrong if a call of the next window is answered through one of them.',
  };
}

function idleAgent(scene: Scene, agent: string, { calls_min }: Options): FindingDraft | null {
  const { window, past } = scene.observation;
  const before = past.find(({ segment }) => cellName(segment) === `${agent}|||`)?.calls ?? 0;
  const span_days = (window.to_ms - window.from_ms) / 86_400_000;
  const expected = (before / 7) * span_days;
  if (before < calls_min || expected < IDLE_EXPECTED_MIN) return null;
  return {
    ...told(scene, { agent, target: null }),
    level: 'note',
    estimate: 0,
    effect: -expected,
    interval: [0, 0],
    yardstick: { kind: 'past', value: expected },
    measure: 'index',
    p: Math.exp(-expected),
    n: 0,
    units: before,
    text:
      `Nobody calls agent ${agent} any more: no call in the window, where ` +
      `${thousands(expected)} were to be expected of its seven days before.`,
    disproof: 'Wrong with the next call that it gets.',
  };
}
/** With fewer calls expected, none may be chance: e^−20 is 2 in a billion. */
const IDLE_EXPECTED_MIN = 20;

function told(scene: Scene, segment: Segment) {
  return {
    since_ms: scene.observation.at_ms,
    segment,
    metric: 'load',
    measure: 'share',
    direction: 'changed',
    e: null,
    confirmed: null,
    severity: 'info',
    evidence: [],
  } as const;
}
