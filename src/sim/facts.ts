import type { CallEvent, FeedbackEvent } from '../core/event.ts';
import { QUANTITIES, type Quantity, type UnitMetric } from '../core/observation.ts';
import { unitFraction } from '../core/unit.ts';
import { binOf } from './bins.ts';

/** One call, or one rating of an agent without a call, as what it adds to a segment. */
export interface Fact {
  readonly id: string;
  readonly at_ms: number;
  readonly agent: string;
  /** Null where nobody was asked. */
  readonly target: string | null;
  readonly tenant: string;
  readonly category: string | null;
  readonly unit: string;
  readonly user: string | null;
  /** The unit, and the user (or unit), of that day: another day is another unit of the past. */
  readonly unit_day: string;
  readonly user_day: string;
  readonly adapter: string | null;
  /** 0 or 1: which half of the units it is in. */
  readonly half: 0 | 1;
  /** False for what is said of an agent without a call. */
  readonly is_call: boolean;
  /** Real milliseconds, however it ended. */
  readonly latency_ms: number;
  /** In the order of `QUANTITIES`; null where it was not measured. */
  readonly values: readonly (number | null)[];
  readonly bins: readonly number[];
  readonly error_class: string | null;
  /** Signals and metrics of harm that this call showed. */
  readonly metrics: UnitMetric[];
  readonly verdicts: Verdict[];
  /** Whether its agent had a bar for `slow` by then. */
  barred: boolean;
  /** Where it stood in an experiment, or null. */
  readonly exposure: Exposure | null;
}

export interface Exposure {
  readonly experiment: string;
  readonly arm: 'canary' | 'control';
  readonly share: number;
}

/** What a rater says of a call, as far as it counts. */
export interface Verdict {
  readonly rater: string;
  readonly signal: string;
  readonly value: number;
  readonly at_ms: number;
  readonly rated: boolean;
  readonly dissatisfied: boolean;
}

/** Where the latency stands among a fact's values. */
export const LATENCY = QUANTITIES.indexOf('latency_ms');
/** A call as what it adds; its target is the one that was chosen, also where another served it. */
export function factOf(event: CallEvent, who: Who = createUnits()(event)): Fact {
  const metrics: UnitMetric[] = [];
  if (event.arm_error) metrics.push('error');
  if (event.outcome === 'aborted') metrics.push('abort');
  // Only an answer is measured whole; of one that was given up, only when it began.
  const whole = event.outcome === 'ok';
  const values: Record<Quantity, number | null> = {
    ttft_ms: whole || event.outcome === 'aborted' ? event.ttft_ms : null,
    latency_ms: whole ? event.latency_ms : null,
    tokens_in: whole ? event.tokens.in : null,
    tokens_out: whole ? event.tokens.out : null,
    cost_usd: whole ? event.cost_usd : null,
  };
  const failed = event.attempts.find(({ outcome }) => outcome === 'error');
  return {
    id: event.id,
    at_ms: event.at_ms,
    agent: event.agent,
    target: event.intended ?? event.served,
    tenant: event.tenant,
    category: event.category ?? null,
    unit: who.unit,
    user: event.user,
    unit_day: who.unit_day,
    user_day: who.user_day,
    adapter: event.adapter,
    half: who.half,
    is_call: true,
    latency_ms: event.latency_ms,
    ...measuredAs(values),
    error_class: failed?.error ?? null,
    metrics,
    verdicts: [],
    barred: false,
    exposure: exposureOf(event),
  };
}

function measuredAs(of: Partial<Record<Quantity, number | null>>): Pick<Fact, 'values' | 'bins'> {
  const [values, bins]: [(number | null)[], number[]] = [[], []];
  for (const quantity of QUANTITIES) {
    const value = of[quantity] ?? null;
    values.push(value);
    bins.push(binOf(value));
  }
  return { values, bins };
}

/** Notes that the call showed it; once is enough. */
export function show({ metrics }: Fact, metric: UnitMetric): void {
  if (!metrics.includes(metric)) metrics.push(metric);
}

const DAY_MS = 86_400_000;
const onDay = (at_ms: number, who: string): string => `${Math.floor(at_ms / DAY_MS)}\0${who}`;

function exposureOf({ experiment, arm, share }: CallEvent): Exposure | null {
  if (experiment === null || (arm !== 'canary' && arm !== 'control')) return null;
  return { experiment, arm, share: share ?? 0 };
}

/** Without a call the rater stands for the unit. */
export function factOfAgent(event: FeedbackEvent, agent: string, verdict: Verdict): Fact {
  const unit = `a:${event.rater}`;
  return {
    id: event.id,
    at_ms: event.at_ms,
    agent,
    target: null,
    tenant: event.tenant,
    category: null,
    unit,
    user: null,
    unit_day: onDay(event.at_ms, unit),
    user_day: onDay(event.at_ms, unit),
    adapter: null,
    half: halfOf(unit),
    is_call: false,
    latency_ms: 0,
    ...measuredAs({}),
    error_class: null,
    metrics: [],
    verdicts: [verdict],
    barred: false,
    exposure: null,
  };
}

function halfOf(unit: string): 0 | 1 {
  return unitFraction('split', unit) < 0.5 ? 0 : 1;
}

/** Who a call is of: names that are one string for all calls, so that they are found quickly. */
export type Who = Pick<Fact, 'unit' | 'unit_day' | 'user_day' | 'half'>;

/** Units by name, each hashed once, and named once a day. */
export function createUnits(): (event: Pick<CallEvent, 'unit' | 'user' | 'at_ms'>) => Who {
  const known = new Map<string, Who & { readonly day: number; readonly user: string | null }>();
  return ({ unit, user, at_ms }) => {
    const day = Math.floor(at_ms / DAY_MS);
    const last = known.get(unit);
    if (last && last.day === day && last.user === user) return last;
    const who = {
      unit: last?.unit ?? unit,
      half: last?.half ?? halfOf(unit),
      unit_day: onDay(at_ms, unit),
      user_day: onDay(at_ms, user ?? unit),
      day,
      user,
    };
    known.set(unit, who);
    return who;
  };
}
