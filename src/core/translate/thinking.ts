import type { Json, JsonObject } from '../canonical.ts';
import { isObject, objectsIn, textIn } from '../json-values.ts';
import { isThinking } from './answers.ts';
import type { Notes } from './notes.ts';

/** Tokens to think with, where a model takes a budget. */
const BUDGETS: Readonly<Record<string, number>> = {
  low: 1024,
  medium: 4096,
  high: 16_384,
  xhigh: 32_768,
  max: 32_768,
};
const BUDGET_MIN = 1024;
/** Left for the answer where the client set no limit. */
const ANSWER_TOKENS = 4096;

/**
 * `reasoning_effort` as thinking. Newer models think as much as they find right for an effort;
 * older ones take a budget, which must leave room below `max_tokens`. A `thinking` of the client's
 * own goes as it is.
 */
export function addThinking(
  body: Record<string, Json>,
  chat: JsonObject,
  unlimited: boolean,
  notes: Notes,
): void {
  if (isObject(chat.thinking)) {
    body.thinking = chat.thinking;
    return;
  }
  const model = textIn(body.model);
  if (chat.reasoning_effort === 'none' && isFrom(model, 5, 0)) {
    // These think unless they are told not to, each in its own way; all of them take an effort.
    notes.add('reasoning_effort', 'none became low, the least that every newer model takes');
    addEffort(body, 'low');
    return;
  }
  const effort = effortOf(chat.reasoning_effort);
  if (effort === null) return;
  const choice = body.tool_choice;
  if (isObject(choice) && (choice.type === 'any' || choice.type === 'tool')) {
    notes.add('reasoning_effort', 'no thinking together with a forced tool');
    return;
  }
  if (isAdaptive(model)) {
    body.thinking = { type: 'adaptive' };
    const known = effort !== 'xhigh' || isFrom(model, 4, 7);
    if (!known) notes.add('reasoning_effort', 'xhigh became high: this model does not know it');
    addEffort(body, known ? effort : 'high');
    return;
  }
  if (!mayThink(objectsIn(body.messages))) {
    notes.add('reasoning_effort', 'no thinking where the turn that goes on has none');
    return;
  }
  const wanted = BUDGETS[effort] ?? BUDGET_MIN;
  if (unlimited) body.max_tokens = wanted + ANSWER_TOKENS;
  const budget_tokens = Math.min(wanted, Number(body.max_tokens) - 1);
  if (budget_tokens < BUDGET_MIN) {
    notes.add('reasoning_effort', `needs max_tokens over ${BUDGET_MIN}`);
    return;
  }
  body.thinking = { type: 'enabled', budget_tokens };
}

/**
 * A model with a budget goes on from a turn of its own (the calls whose results it is given, or the
 * beginning of its answer) only where that turn begins with its thinking.
 */
function mayThink(turns: readonly JsonObject[]): boolean {
  const last = turns.at(-1);
  const results = objectsIn(last?.content).some(({ type }) => type === 'tool_result');
  const goneOn = last?.role === 'assistant' ? last : results ? turns.at(-2) : undefined;
  return goneOn === undefined || isThinking(objectsIn(goneOn.content)[0]?.type);
}

function addEffort(body: Record<string, Json>, effort: string): void {
  body.output_config = { ...(isObject(body.output_config) ? body.output_config : {}), effort };
}

function effortOf(value: Json | undefined): string | null {
  if (typeof value !== 'string' || value === 'none') return null;
  if (value === 'minimal') return 'low';
  return Object.hasOwn(BUDGETS, value) ? value : 'medium';
}

/** Claude 4.6 and later. */
function isAdaptive(model: string): boolean {
  return isFrom(model, 4, 6);
}

/** Claude 4.7 and later refuse temperature, top_p and top_k, whatever the version of the API. */
export function takesSampling(model: string): boolean {
  return !isFrom(model, 4, 7);
}

/** Claude 4.1 to 4.6 refuse temperature and top_p together. */
export function takesBoth(model: string): boolean {
  return !isFrom(model, 4, 1);
}

/** Claude 5.5 and later refuse a call that must be made. */
export function takesForcedTools(model: string): boolean {
  return !isFrom(model, 5, 5);
}

/** By a model's name; in older ones the second number may be a date. */
function isFrom(model: string, least: number, leastMinor: number): boolean {
  const [, major, minor] = /claude-[a-z]+-(\d+)(?:-(\d{1,2})(?!\d))?/.exec(model) ?? [];
  if (major === undefined) return false;
  return Number(major) > least || (Number(major) === least && Number(minor ?? 0) >= leastMinor);
}

/** What a request to Anthropic says of thinking that `reasoning_effort` alone cannot say. */
export function noteThinking(messages: JsonObject, takes_effort: boolean, notes: Notes): void {
  const { thinking, output_config } = messages;
  const kind = isObject(thinking) ? textIn(thinking.type) : '';
  const effort = isObject(output_config) ? output_config.effort : null;
  if (effort === 'max' && takes_effort) notes.add('output_config.effort', 'max became high');
  if (kind === 'between_tools') {
    notes.add('thinking', 'between_tools has no counterpart at the provider');
  } else if (kind === 'adaptive' && !takes_effort) {
    notes.add('thinking', 'this model is not known to take an effort');
  } else if (kind === 'disabled' && takes_effort) {
    notes.add('thinking', 'this model may think all the same');
  }
}

/** A budget or an effort of Anthropic's as `reasoning_effort`, or null where it asks for none. */
export function effortOfThinking(messages: JsonObject): string | null {
  const config = isObject(messages.output_config) ? messages.output_config : {};
  const { thinking } = messages;
  const thinks = isObject(thinking) && thinking.type !== 'disabled';
  if (typeof config.effort === 'string') return config.effort === 'max' ? 'high' : config.effort;
  if (!thinks || typeof thinking.budget_tokens !== 'number') return null;
  const { budget_tokens } = thinking;
  return budget_tokens < 4096 ? 'low' : budget_tokens < 16_384 ? 'medium' : 'high';
}
