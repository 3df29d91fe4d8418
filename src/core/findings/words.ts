import type { Yardstick } from '../finding.ts';
import type { FindingMetric, Segment } from '../observation.ts';
import type { Mix } from './mix.ts';

/** Sentences of findings: plain, with every number's meaning beside it. */

export function percent(rate: number): string {
  return `${(rate * 100).toFixed(1)} %`;
}

export function points(difference: number): string {
  const rounded = (difference * 100).toFixed(1);
  return `${difference > 0 ? '+' : ''}${rounded} points`;
}

export function milliseconds(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${thousands(Math.round(ms))} ms`;
}

/** A whole number with commas, the same on every machine. */
export function thousands(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

export function dollars(usd: number): string {
  const digits = usd >= 1 ? 2 : Math.min(8, 2 - Math.floor(Math.log10(Math.max(usd, 1e-8))));
  return `$${usd.toFixed(digits)}`;
}

export function placeOf({ agent, target, tenant, category }: Segment): string {
  const of = target === null ? `agent ${agent}` : `target ${target} of agent ${agent}`;
  const mix = [category && `category ${category}`, tenant && `tenant ${tenant}`].filter(Boolean);
  return mix.length === 0 ? of : `${of} (${mix.join(', ')})`;
}

/** “against 2.0 % in its own seven days before”. */
export function against({ kind }: Yardstick, value: string): string {
  const words: Record<Yardstick['kind'], string> = {
    peers: `against ${value} at the agent’s other targets at the same time`,
    past: `against ${value} in its own seven days before`,
    season: `against ${value} at the same hours of the days before`,
    threshold: `above the policy’s threshold of ${value}`,
    weights: `against ${value} by the policy’s weights`,
    control: `against ${value} in control at the same time`,
  };
  return words[kind];
}

const HAPPENED: Partial<Record<FindingMetric, string>> = {
  error: 'had an error',
  slow: 'had a slow answer',
  abort: 'gave up waiting',
  dissatisfied: 'were dissatisfied',
  retry: 'sent a request again after a failure',
  regeneration: 'asked for the same answer again',
  reask: 'asked the same again in other words',
  correction: 'corrected the answer',
  complaint: 'complained',
  accepted: 'took the answer over',
  satisfied: 'showed that they were satisfied',
  tool_failure: 'had a tool call fail',
  schema_violation: 'got an answer that breaks its schema',
  refusal: 'were refused an answer',
  language_mismatch: 'were answered in another language',
  length_outlier: 'got an answer of unusual length',
  wrong_answer: 'said that the answer was wrong',
  needs_clarification: 'had to ask what was meant',
  wants_different: 'wanted something else',
  model_wrong_answer: 'said that the answer was wrong',
  model_needs_clarification: 'had to ask what was meant',
  model_wants_different: 'wanted something else',
  model_satisfied: 'showed that they were satisfied',
};

/** Who could show it; of all others, units of the place. */
const WHO: Readonly<Record<string, string>> = {
  dissatisfied: 'units that rated',
  complaint: 'units that rated',
  judged: 'units whose next message a model read at',
};

/** “48 of 60 units that rated agent solo were dissatisfied”. */
export function happened(
  metric: FindingMetric,
  segment: Segment,
  n: number,
  units: number,
): string {
  const place = placeOf(segment);
  const who = WHO[metric.startsWith('model_') ? 'judged' : metric] ?? 'units of';
  return `${thousands(n)} of ${thousands(units)} ${who} ${place} ${didWords(metric)}`;
}

/** What a change of the mix does to the finding; empty where nothing needs to be said. */
export function mixWords(mix: Mix | null): string {
  if (mix === null || mix.verdict === 'same') return '';
  const many = mix.by === 'category' ? 'categories' : `${mix.by}s`;
  const within = `Within ${many} the difference is ${points(mix.adjusted.difference)}`;
  return mix.verdict === 'reversed'
    ? ` ${within}, so the sign turns (Simpson’s paradox): the mix of ${many} changed, nothing else.`
    : ` ${within} and may be none: the mix of ${many} changed.`;
}

export function frozenWords(frozen: boolean): string {
  return frozen ? ' An experiment runs on the agent, so nothing is planned on it now.' : '';
}

/** “2026-01-05 12:00 UTC”. */
export function timeWords(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** “6 hours”, “25 minutes”: what a number of steps of a series lasts. */
export function spanWords(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  const [count, unit] = minutes % 60 === 0 ? [minutes / 60, 'hour'] : [minutes, 'minute'];
  return count === 1 ? unit : `${count} ${unit}s`;
}

/** “were dissatisfied”: what units did or met. */
export function didWords(metric: FindingMetric): string {
  return HAPPENED[metric] ?? `had ${metric}`;
}

export function halvesWords(confirmed: boolean | null): string {
  if (confirmed === null) return '';
  return confirmed
    ? ' Both halves of the units show it.'
    : ' Only one half of the units shows it, so it may be chance.';
}

/** Joins clauses as people do. */
export function list(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
