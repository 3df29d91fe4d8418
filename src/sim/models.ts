import type { Random } from './random.ts';
import type { Effect, Happening, Model, Scenario } from './scenario.ts';

/** What a call is served by: a model, and what the policy does to it. */
export interface Served {
  readonly model: string;
  readonly prompt: string | null;
  readonly adapter: string | null;
}

/** A model as it is at one moment, for one intent. */
export interface Condition {
  readonly quality: number;
  readonly latency_ms: number;
  readonly spread: number;
  readonly first_token: number;
  readonly errors: number;
  readonly tokens_out: number;
  readonly usd_per_mtok: number;
}

/** What came of one attempt at a model; latencies are real milliseconds of the world. */
export interface Answer {
  readonly error: boolean;
  readonly good: boolean;
  readonly ttft_ms: number;
  readonly latency_ms: number;
  readonly tokens_in: number;
  readonly tokens_out: number;
  readonly cost_usd: number;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Of users' questions: all alike, because no figure of the report rests on it. */
const TOKENS_IN = 120;
const TOKENS_SPREAD = 0.5;
/** An error is said sooner than an answer. */
const ERROR_LATENCY = 0.5;

/** How much of a happening is in force at `t_ms` since the beginning, 0..1: it grows, then ends. */
export function strengthOf(happening: Happening, t_ms: number): number {
  const since_ms = t_ms - happening.day * DAY_MS;
  if (since_ms < 0) return 0;
  if (happening.until !== undefined && t_ms >= happening.until * DAY_MS) return 0;
  const ramp_ms = happening.ramp_hours * HOUR_MS;
  return ramp_ms <= 0 ? 1 : Math.min(1, since_ms / ramp_ms);
}

/** The condition of a model as served at `t_ms` since the world's beginning. Pure. */
export function conditionOf(
  scenario: Scenario,
  served: Served,
  category: string,
  t_ms: number,
): Condition {
  const model = scenario.models[served.model];
  if (!model) throw new RangeError(`there is no model ${served.model}`);
  let condition = startOf(model, category);
  for (const happening of scenario.happenings) {
    if (happening.model !== served.model) continue;
    const strength = strengthOf(happening, t_ms);
    if (strength === 0) continue;
    condition = changed(condition, happening, category, strength);
    if (happening.down) condition = { ...condition, errors: 1 };
  }
  const prompt = served.prompt === null ? undefined : scenario.prompts[served.prompt];
  if (prompt) condition = changed(condition, prompt, category, 1);
  const adapter = served.adapter === null ? undefined : scenario.adapters[served.adapter];
  return adapter ? changed(condition, adapter, category, 1) : condition;
}

function startOf(model: Model, category: string): Condition {
  const { by_category, quality, ...rest } = model;
  return { ...rest, quality: by_category[category] ?? quality };
}

function changed(from: Condition, effect: Effect, category: string, strength: number): Condition {
  const quality = effect.by_category[category] ?? effect.quality;
  const times = (factor: number): number => factor ** strength;
  return {
    ...from,
    quality: share(from.quality + strength * quality),
    errors: share(from.errors + strength * effect.errors),
    latency_ms: from.latency_ms * times(effect.latency),
    tokens_out: from.tokens_out * times(effect.tokens_out),
    usd_per_mtok: from.usd_per_mtok * times(effect.price),
  };
}

/**
 * One attempt. The draws are always the same number in the same order, so that the same call served
 * by another model meets the same luck: policies then differ by what they are.
 */
export function answerOf(condition: Condition, luck: Random, mood: number): Answer {
  const slow = luck.normal();
  const error = luck.uniform() < condition.errors;
  const good = luck.uniform() < condition.quality + mood;
  const tokens_out = Math.max(1, Math.round(condition.tokens_out * lognormal(luck, TOKENS_SPREAD)));
  const whole_ms = condition.latency_ms * Math.exp(condition.spread * slow);
  const latency_ms = error ? whole_ms * ERROR_LATENCY : whole_ms;
  const tokens = error ? 0 : TOKENS_IN + tokens_out;
  return {
    error,
    good: good && !error,
    ttft_ms: latency_ms * condition.first_token,
    latency_ms,
    tokens_in: TOKENS_IN,
    tokens_out: error ? 0 : tokens_out,
    cost_usd: (tokens * condition.usd_per_mtok) / 1e6,
  };
}

function lognormal(luck: Random, spread: number): number {
  return Math.exp(spread * luck.normal());
}

function share(value: number): number {
  return Math.min(1, Math.max(0, value));
}

/**
 * Chance that a call satisfies: answered, in time, and well. The normal distribution function is
 * Zelen and Severo's (Abramowitz and Stegun 26.2.17), right to 7.5e-8.
 */
export function satisfactionOf(condition: Condition, patience_ms: number, spread: number): number {
  const width = Math.hypot(condition.spread, spread) || 1e-9;
  const in_time = normalCdf(Math.log(patience_ms / condition.latency_ms) / width);
  return (1 - condition.errors) * condition.quality * in_time;
}

/** What a call costs on average, in USD. */
export function costOf(condition: Condition): number {
  const tokens = TOKENS_IN + condition.tokens_out * Math.exp(TOKENS_SPREAD ** 2 / 2);
  return ((1 - condition.errors) * tokens * condition.usd_per_mtok) / 1e6;
}

export function normalCdf(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const tail =
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const upper = (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * tail;
  return z >= 0 ? 1 - upper : upper;
}
