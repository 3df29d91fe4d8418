import { ownId } from '../answer-id.ts';
import type { AnswerFacts } from '../provider.ts';

/** The words that the two dialects have for the same thing. */

/** What stands before an answer's id, by who reads it. */
const MARKS = { chat: 'chatcmpl-', messages: 'msg_' } as const;

/**
 * An answer's id as clients of a dialect know such ids: the mark of theirs before what follows the
 * upstream's own, so that either is found by the other. An answer without one gets the call's.
 */
export function idFor(reader: keyof typeof MARKS, id: unknown, call_id: string): string {
  if (typeof id !== 'string' || id === '') return ownId(MARKS[reader], call_id);
  if (id.startsWith(MARKS[reader])) return id;
  const own = Object.values(MARKS).find((mark) => id.startsWith(mark)) ?? '';
  return `${MARKS[reader]}${id.slice(own.length)}`;
}

/** The facts of a translated answer: it is known by the id that the client saw. */
export function factsFor<Facts extends Partial<AnswerFacts>>(
  reader: keyof typeof MARKS,
  facts: Facts,
): Facts {
  const { completion_id } = facts;
  // Where there is none, no call's is needed.
  return completion_id ? { ...facts, completion_id: idFor(reader, completion_id, '') } : facts;
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
  // Mistral's; xAI's; Z.ai's.
  ['model_length', 'max_tokens'],
  ['end_turn', 'end_turn'],
  ['sensitive', 'refusal'],
  ['model_context_window_exceeded', 'model_context_window_exceeded'],
]);

/**
 * OpenAI's `finish_reason` as Anthropic's. Some hosts say `stop` after tool calls, or tell of calls
 * where there are none: whoever reads `tool_use` looks for one.
 */
export function stopReasonOf(finish: string | null, called: boolean): string {
  const reason = STOP_REASON_OF.get(finish ?? 'stop') ?? 'end_turn';
  if (called && (finish === null || finish === 'stop')) return 'tool_use';
  return reason === 'tool_use' && !called ? 'end_turn' : reason;
}

/** Whether a stop reason says the same. */
export function isSaidFinish(finish: string): boolean {
  return STOP_REASON_OF.has(finish);
}
