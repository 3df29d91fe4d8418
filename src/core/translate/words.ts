import type { AnswerFacts } from '../provider.ts';

/** The words that the two dialects have for the same thing. */

/** What stands before an answer's id, by who reads it. */
const MARKS = { chat: 'chatcmpl-', messages: 'msg_' } as const;

/**
 * An answer's id as clients of a dialect know such ids: the mark of theirs before what follows the
 * upstream's own, so that either is found by the other. Of an answer without one it is empty.
 */
export function idFor(reader: keyof typeof MARKS, id: unknown): string {
  if (typeof id !== 'string' || id === '') return '';
  if (id.startsWith(MARKS[reader])) return id;
  const own = Object.values(MARKS).find((mark) => id.startsWith(mark)) ?? '';
  return `${MARKS[reader]}${id.slice(own.length)}`;
}

/**
 * The id of an answer's tool call, counted from 0: some hosts give none, or an empty one, and a
 * client could then not say which call a result is of.
 */
export function toolIdFor(given: unknown, answerId: unknown, at: number): string {
  if (typeof given === 'string' && given !== '') return given;
  const own = idFor('messages', answerId).slice(MARKS.messages.length);
  return `toolu_${own.replace(/[^\w-]/g, '_')}_${at}`;
}

/** The facts of a translated answer: it is known by the id that the client saw. */
export function factsFor<Facts extends Partial<AnswerFacts>>(
  reader: keyof typeof MARKS,
  facts: Facts,
): Facts {
  const { completion_id } = facts;
  return completion_id ? { ...facts, completion_id: idFor(reader, completion_id) } : facts;
}

const FINISH_OF: ReadonlyMap<string, string> = new Map([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['pause_turn', 'stop'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['tool_use', 'tool_calls'],
  ['refusal', 'content_filter'],
]);

/** Anthropic's `stop_reason` as OpenAI's `finish_reason`. */
export function finishOf(stop_reason: string): string {
  return FINISH_OF.get(stop_reason) ?? 'stop';
}

/** Whether a finish reason says the same; others only come near. */
export function isSaid(stop_reason: string): boolean {
  return FINISH_OF.has(stop_reason) && stop_reason !== 'pause_turn';
}

const STOP_REASON_OF: ReadonlyMap<string, string> = new Map([
  ['stop', 'end_turn'],
  ['length', 'max_tokens'],
  ['tool_calls', 'tool_use'],
  ['function_call', 'tool_use'],
  ['content_filter', 'refusal'],
]);

/** OpenAI's `finish_reason` as Anthropic's; some hosts say `stop` after tool calls. */
export function stopReasonOf(finish: string | null, called: boolean): string {
  if (called && (finish === null || finish === 'stop')) return 'tool_use';
  return STOP_REASON_OF.get(finish ?? 'stop') ?? 'end_turn';
}
