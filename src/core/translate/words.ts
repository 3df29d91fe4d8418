/** The words that the two dialects have for the same thing. */

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
