import type { Json, JsonObject } from '../canonical.ts';
import { withPlainNumbers } from '../exact-json.ts';
import { isObject, objectsIn, textIn } from '../json-values.ts';
import { isThinking } from './answers.ts';
import type { Notes } from './notes.ts';

/** Tokens to think with, where a model takes a budget. */
const BUDGETS: Readonly<Record<string, number>> = {
  low: 1024,
  medium: 4096,
  high: 16_384,
  // With room to answer it is the most that Claude 4.1 says: 32,000.
  xhigh: 27_904,
  max: 27_904,
};
const BUDGET_MIN = 1024;
export const WITHOUT_THINKING = 'no thinking where the turn that goes on has none';
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
  const model = textIn(body.model);
  if (isObject(chat.thinking)) {
    addOwnThinking(body, chat, unlimited, notes);
    return;
  }
  // These think unless they are told not to, each in its own way; all of them take an effort.
  if (unlimited && isFrom(model, 5, 0)) addRoom(body, BUDGETS.high);
  if (chat.reasoning_effort === 'none' && isFrom(model, 5, 0)) {
    notes.add('reasoning_effort', 'none became low, the least that every newer model takes');
    addEffort(body, 'low', notes);
    return;
  }
  const effort = effortOf(chat.reasoning_effort, notes);
  if (effort === null) return;
  const choice = body.tool_choice;
  if (isObject(choice) && (choice.type === 'any' || choice.type === 'tool')) {
    notes.add('reasoning_effort', 'no thinking together with a forced tool');
    return;
  }
  if (isAdaptive(model)) {
    body.thinking = { type: 'adaptive' };
    if (unlimited) addRoom(body, BUDGETS[effort]);
    addEffort(body, effort, notes);
    return;
  }
  if (!mayThink(objectsIn(body.messages))) {
    notes.add('reasoning_effort', WITHOUT_THINKING);
    return;
  }
  const wanted = BUDGETS[effort] ?? BUDGET_MIN;
  if (unlimited) addRoom(body, wanted);
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
export function mayThink(turns: readonly JsonObject[]): boolean {
  const last = turns.at(-1);
  const results = objectsIn(last?.content).some(({ type }) => type === 'tool_result');
  const goneOn = last?.role === 'assistant' ? last : results ? turns.at(-2) : undefined;
  return goneOn === undefined || isThinking(objectsIn(goneOn.content)[0]?.type);
}

function addOwnThinking(
  body: Record<string, Json>,
  chat: JsonObject,
  unlimited: boolean,
  notes: Notes,
): void {
  const thinking = withPlainNumbers(chat.thinking as JsonObject);
  const effort = effortOf(chat.reasoning_effort, notes);
  body.thinking = thinking;
  if (unlimited && typeof thinking.budget_tokens === 'number') {
    addRoom(body, thinking.budget_tokens);
  } else if (unlimited && thinking.type === 'adaptive') {
    addRoom(body, BUDGETS[effort ?? 'high']);
  }
  if (effort === null) return;
  if (isAdaptive(textIn(body.model))) addEffort(body, effort, notes);
  else notes.add('reasoning_effort', 'thinking of the request’s own is in its place');
}

/** What is thought counts as answered. */
function addRoom(body: Record<string, Json>, tokens = 0): void {
  body.max_tokens = tokens + ANSWER_TOKENS;
}

function addEffort(body: Record<string, Json>, given: string, notes: Notes): void {
  const known = given !== 'xhigh' || isFrom(textIn(body.model), 4, 7);
  if (!known) notes.add('reasoning_effort', 'xhigh became high: this model does not know it');
  const effort = known ? given : 'high';
  body.output_config = { ...(isObject(body.output_config) ? body.output_config : {}), effort };
}

function effortOf(value: Json | undefined, notes: Notes): string | null {
  if (typeof value !== 'string' || value === 'none') return null;
  if (Object.hasOwn(BUDGETS, value)) return value;
  const near = value === 'minimal' ? 'low' : 'medium';
  notes.add('reasoning_effort', `${value} became ${near}`);
  return near;
}

/** Whether a request asks for thinking, which takes no sampling but what it does anyway. */
export function asksToThink({ thinking }: JsonObject): boolean {
  return isObject(thinking) && thinking.type !== 'disabled';
}

/** Claude 4.6 and later. */
export function isAdaptive(model: string): boolean {
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
  const { thinking } = messages;
  const kind = isObject(thinking) ? textIn(thinking.type) : '';
  if (isObject(thinking)) notes.rest('thinking', thinking, THINKING);
  if (kind === 'between_tools') {
    notes.add('thinking', 'between_tools has no counterpart at the provider');
  } else if (kind === 'adaptive' && !takes_effort) {
    notes.add('thinking', 'this model is not known to take an effort');
  } else if (kind === 'disabled' && takes_effort) {
    notes.add('thinking', 'this model may think all the same');
  }
}

const THINKING: ReadonlySet<string> = new Set(['type', 'budget_tokens']);

/** A budget or an effort of Anthropic's as `reasoning_effort`, or null where it asks for none. */
export function effortOfThinking(messages: JsonObject): string | null {
  const config = isObject(messages.output_config) ? messages.output_config : {};
  if (typeof config.effort === 'string') return config.effort;
  if (!asksToThink(messages)) return null;
  const { budget_tokens } = withPlainNumbers(messages.thinking as JsonObject);
  if (typeof budget_tokens !== 'number') return null;
  return budget_tokens < 4096 ? 'low' : budget_tokens < 16_384 ? 'medium' : 'high';
}

/** The nearest effort that a model of OpenAI's kind knows; few know one above `high`. */
export function knownEffort(effort: string, above: boolean, notes: Notes): string {
  if (effort !== 'max' && effort !== 'xhigh') return effort;
  const known = above ? 'xhigh' : 'high';
  if (effort !== known) notes.add('output_config.effort', `${effort} became ${known}`);
  return known;
}
