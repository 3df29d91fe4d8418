import type { CanaryStats, Cell, Judgement } from '../core/canary.ts';
import { METRICS_OF_HARM, type Metric } from '../core/oracle.ts';
import type { CanaryPolicy, Policy } from '../core/policy.ts';
import {
  type ArmCounts,
  eValue,
  evidenceLn,
  HARM_LIMIT,
  isSilence,
  PROMOTION_LIMIT,
  SPLIT_P_MIN,
} from '../core/sequential.ts';
import { splitPValue } from '../core/statistics.ts';
import { countedOf, type Outlook, outlookOf, unitsOf } from './outlook.ts';

/** Evidence of harm from which a step is not taken on fewer units than `step.units`. */
const HARM_SIGN = 3;
/** An e-value below 1 speaks against what it is evidence for. */
const LEAN = 1;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/**
 * What the evidence says about a canary. Pure. Harm stops early, promotion is strict, and what
 * cannot be told keeps the old. Safe to call at every tick: the tests are anytime-valid.
 */
export function judge(stats: CanaryStats, policy: Policy, at_ms: number): Judgement {
  const { canary, rollback } = policy.oracle.safety;
  const harm = harmOf(stats);
  const improvement = eValue(
    evidenceLn(countsOf(stats.cells, stats.primary, 'matured'), 'improvement'),
  );
  const found = { harm, improvement };
  const bad = harmReason(stats, harm, rollback.complaints.count) ?? silenceReason(stats, at_ms);
  if (bad !== null) {
    const action = policy.switches.auto_rollback ? 'revert' : 'hold';
    return { action, reason: bad, ...found };
  }
  const steps = stepsOf(canary);
  const next = steps.find((step) => step > stats.share + 1e-9) ?? null;
  const outlook = outlookOf(stats, canary, steps, at_ms);
  if (outlook.hopeless !== null) return endedAs(outlook.hopeless, found);
  const sign = signOfHarm(stats.cells);
  const units = sign === null ? outlook.step_units : canary.step.units;
  const waiting = minimumReason(stats, canary, { units, last: next === null }, at_ms);
  if (waiting === null && next !== null) {
    const few = stats.canary_units_at_share < canary.step.units ? outlook.starved : null;
    const reason = `no harm at ${percent(stats.share)}${few === null ? '' : `: ${few}`}`;
    return { action: 'ramp', share: next, reason, ...found };
  }
  const held = waiting ?? promotionReason(stats, improvement);
  if (held === null) {
    const reason = `${stats.primary} is lower with the change: evidence ${shortly(improvement)}`;
    return { action: 'promote', reason, ...found };
  }
  const over = at_ms - stats.started_ms >= canary.days_max * DAY_MS;
  const why = over
    ? `undecided after ${canary.days_max} days (${held})`
    : unprovable(outlook, { waiting, sign, improvement, best: bestOf(stats, steps) });
  if (why === null) return { action: 'continue', reason: held, ...found };
  return endedAs(why, found);
}

function endedAs(why: string, found: Pick<Judgement, 'harm' | 'improvement'>): Judgement {
  return { action: 'inconclusive', reason: `${why}: the old is kept`, ...found };
}

/** Why nothing that may still come can decide, or null. */
function unprovable(
  { known, starved, stuck, exhausted, saturated }: Outlook,
  seen: {
    readonly waiting: string | null;
    readonly sign: string | null;
    readonly improvement: number;
    readonly best: number;
  },
): string | null {
  if (seen.waiting !== null && starved !== null) {
    if (seen.sign !== null && known) return `${starved}, and ${seen.sign}`;
    return stuck ? starved : null;
  }
  if (exhausted && known && seen.best < PROMOTION_LIMIT) {
    return 'hardly a new unit comes, and those not yet counted are too few for a proof';
  }
  if (seen.waiting !== null || !saturated || seen.improvement >= LEAN) return null;
  return 'most units are counted, and they do not lean to an improvement';
}

/** The steps of a canary's share below 1; the last is where it is promoted from. */
function stepsOf(canary: CanaryPolicy): readonly number[] {
  return [canary.share, ...canary.ramp.filter((share) => share > canary.share && share < 1)];
}

/** The evidence if every unit not yet counted came to be so, all of them in control. */
function bestOf(stats: CanaryStats, steps: readonly number[]): number {
  const counts = countsOf(stats.cells, stats.primary, 'units');
  const open = Math.max(0, unitsOf(stats) - countedOf(stats));
  const q = steps.at(-1) ?? stats.share;
  return eValue(evidenceLn([...counts, { q, canary: 0, control: open }], 'improvement'));
}

/** By the counts as they are, not the largest evidence so far: what a small step must not show. */
function signOfHarm(cells: readonly Cell[]): string | null {
  for (const metric of METRICS_OF_HARM) {
    const now = eValue(evidenceLn(countsOf(cells, metric, 'units'), 'harm'));
    if (now >= HARM_SIGN) return `there is a sign of more ${metric} (evidence ${shortly(now)})`;
  }
  return null;
}

function harmOf(stats: CanaryStats): Readonly<Partial<Record<Metric, number>>> {
  return Object.fromEntries(
    METRICS_OF_HARM.map((metric) => {
      const now = eValue(evidenceLn(countsOf(stats.cells, metric, 'units'), 'harm'));
      return [metric, Math.max(now, stats.evidence_max[metric] ?? 0)];
    }),
  );
}

function countsOf(
  cells: readonly Cell[],
  metric: Cell['metric'],
  kind: 'units' | 'matured',
): readonly ArmCounts[] {
  const byShare = new Map<number, { q: number; canary: number; control: number }>();
  for (const cell of cells) {
    if (cell.metric !== metric) continue;
    const counts = byShare.get(cell.share) ?? { q: cell.share, canary: 0, control: 0 };
    counts[cell.arm] += cell[kind];
    byShare.set(cell.share, counts);
  }
  return [...byShare.values()].filter(({ q }) => q > 0 && q < 1);
}

function harmReason(
  stats: CanaryStats,
  harm: Judgement['harm'],
  complaintsMax: number,
): string | null {
  if (stats.withheld !== null) return `the gateway's trigger: ${stats.withheld}`;
  if (stats.complaints > complaintsMax) return `${stats.complaints} users complained`;
  for (const metric of METRICS_OF_HARM) {
    const evidence = harm[metric] ?? 0;
    if (evidence < HARM_LIMIT) continue;
    const { canary, control } = totals(countsOf(stats.cells, metric, 'units'));
    const units = `${canary} units of the canary, ${control} of control`;
    return `more ${metric} with the change: evidence ${shortly(evidence)} (${units})`;
  }
  return null;
}

function silenceReason(stats: CanaryStats, at_ms: number): string | null {
  const since_ms = Math.max(stats.share_since_ms, stats.canary_last_ms ?? 0);
  const control = stats.control_units_since;
  if (!isSilence(at_ms - since_ms, control, stats.share)) return null;
  return `no event of the canary for 30 minutes while control had ${control} units`;
}

/** What the minimums still ask for: a step's, and for a promotion the whole canary's. */
function minimumReason(
  stats: CanaryStats,
  canary: CanaryPolicy,
  { units, last }: { readonly units: number; readonly last: boolean },
  at_ms: number,
): string | null {
  const wants: [string, number, number][] = [
    ['minutes at this share', (at_ms - stats.share_since_ms) / MINUTE_MS, canary.step.minutes],
    ['canary units at this share', stats.canary_units_at_share, units],
  ];
  if (last) {
    wants.push(['minutes', (at_ms - stats.started_ms) / MINUTE_MS, canary.minutes_min]);
    wants.push(['canary units', stats.canary_units, canary.units_min]);
  }
  const short = wants.find(([, have, want]) => have < want);
  return short ? `${Math.floor(short[1])} of ${short[2]} ${short[0]}` : null;
}

function promotionReason(stats: CanaryStats, improvement: number): string | null {
  if (improvement < PROMOTION_LIMIT) {
    return `evidence ${shortly(improvement)} of ${PROMOTION_LIMIT} for less ${stats.primary}`;
  }
  const assigned = splitPValue(countsOf(stats.cells, 'assigned', 'units'));
  if (assigned < SPLIT_P_MIN) {
    const p = assigned.toExponential(1);
    return `held: units do not fall into the arms as the share says (p ${p})`;
  }
  const rated = splitPValue(countsOf(stats.cells, 'rated', 'units'));
  if (rated < SPLIT_P_MIN) {
    return `held: the arms differ in how many rate (p ${rated.toExponential(1)})`;
  }
  return null;
}

function totals(counts: readonly ArmCounts[]): { canary: number; control: number } {
  return {
    canary: counts.reduce((sum, { canary }) => sum + canary, 0),
    control: counts.reduce((sum, { control }) => sum + control, 0),
  };
}

function shortly(evidence: number): string {
  return evidence >= 1e4 ? evidence.toExponential(1) : evidence.toFixed(1);
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}
