import type { JsonObject } from '../canonical.ts';
import { readChatChunk } from '../chat-dialect.ts';
import { NOTHING } from '../decoded.ts';
import { isObject, objectsIn } from '../json-values.ts';
import type { DecodedChunk, StreamDecoder, StreamStart } from '../provider.ts';
import { sseEvent } from '../sse-event.ts';
import { spokenOf } from './answers.ts';
import { messagesUsageOf, stopReasonOf } from './words.ts';

interface Block {
  readonly index: number;
  readonly kind: 'text' | 'thinking' | 'tool_use';
  /** Of a tool's call: its id, so that hosts that give all calls one index can be told apart. */
  readonly id: string;
}

/**
 * Chunks of a chat completion as Anthropic's events. Usage comes after the finish reason there, and
 * before it here: the closing events wait for the end of the stream.
 */
export class ChatToMessagesStream implements StreamDecoder {
  #model: string;
  #begun = false;
  #blocks = 0;
  #open: Block | null = null;
  readonly #calls = new Map<number, Block>();
  #finish: string | null = null;
  #refused = false;
  #usage: JsonObject = {};

  constructor(start: StreamStart) {
    this.#model = start.model;
  }

  decode(event: Uint8Array): DecodedChunk {
    const { decoded, body } = readChatChunk(event);
    if (decoded.error || decoded.malformed) return decoded;
    if (decoded.done) return { ...decoded, event: Buffer.from(this.#end()) };
    if (body === null) return decoded;
    const text = this.#translated(body);
    return { ...decoded, event: text === '' ? null : Buffer.from(text), usage_only: false };
  }

  finish(): DecodedChunk {
    return { ...NOTHING, event: Buffer.from(this.#end()), done: true };
  }

  #translated(body: JsonObject): string {
    if (isObject(body.usage)) this.#usage = body.usage;
    const choice = objectsIn(body.choices).find(({ index }) => (index ?? 0) === 0);
    if (!choice) return '';
    const delta = isObject(choice.delta) ? choice.delta : {};
    let text = this.#begin(body);
    const spoken = spokenOf(delta);
    if (spoken.thinking !== '') text += this.#say('thinking', spoken.thinking);
    if (spoken.signature !== '') text += this.#sign(spoken.signature);
    if (spoken.text !== '') text += this.#say('text', spoken.text);
    if (typeof delta.refusal === 'string' && delta.refusal !== '') {
      this.#refused = true;
      text += this.#say('text', delta.refusal);
    }
    for (const call of objectsIn(delta.tool_calls)) text += this.#call(call);
    if (typeof choice.finish_reason === 'string') {
      this.#finish = choice.finish_reason;
      text += this.#close();
    }
    return text;
  }

  #begin(body: JsonObject): string {
    if (this.#begun) return '';
    this.#begun = true;
    if (typeof body.model === 'string' && body.model !== '') this.#model = body.model;
    const message = {
      id: body.id ?? '',
      type: 'message',
      role: 'assistant',
      model: this.#model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: messagesUsageOf(null),
    };
    return named({ type: 'message_start', message });
  }

  #say(kind: 'text' | 'thinking', said: string): string {
    let text = '';
    if (this.#open?.kind !== kind) {
      const block: JsonObject = kind === 'text' ? { text: '' } : { thinking: '', signature: '' };
      text = this.#start(kind, '', { type: kind, ...block });
    }
    const delta: JsonObject = kind === 'text' ? { text: said } : { thinking: said };
    return text + this.#delta(this.#open?.index ?? 0, { type: `${kind}_delta`, ...delta });
  }

  #sign(signature: string): string {
    if (this.#open?.kind !== 'thinking') return '';
    return this.#delta(this.#open.index, { type: 'signature_delta', signature });
  }

  #call(call: JsonObject): string {
    const called = isObject(call.function) ? call.function : {};
    const id = typeof call.id === 'string' ? call.id : '';
    const slot = this.#slotOf(call, id);
    let text = '';
    if (!this.#calls.has(slot)) {
      const block = { type: 'tool_use', id, name: called.name ?? '', input: {} };
      text = this.#start('tool_use', id, block);
      if (this.#open) this.#calls.set(slot, this.#open);
    }
    const partial_json = called.arguments;
    if (typeof partial_json !== 'string' || partial_json === '') return text;
    const index = this.#calls.get(slot)?.index ?? 0;
    return text + this.#delta(index, { type: 'input_json_delta', partial_json });
  }

  /** Some hosts leave out the index, or give every call the same: a new id is a new call. */
  #slotOf(call: JsonObject, id: string): number {
    const last = this.#calls.size - 1;
    const given = typeof call.index === 'number' ? call.index : id === '' ? last : last + 1;
    const known = this.#calls.get(given);
    const other = known !== undefined && id !== '' && known.id !== id;
    return other ? this.#slotOfId(id) : Math.max(0, given);
  }

  #slotOfId(id: string): number {
    for (const [slot, block] of this.#calls) if (block.id === id) return slot;
    return Math.max(...this.#calls.keys()) + 1;
  }

  #start(kind: Block['kind'], id: string, content_block: JsonObject): string {
    const closed = this.#close();
    this.#open = { index: this.#blocks++, kind, id };
    return closed + named({ type: 'content_block_start', index: this.#open.index, content_block });
  }

  #delta(index: number, delta: JsonObject): string {
    return named({ type: 'content_block_delta', index, delta });
  }

  #close(): string {
    if (!this.#open) return '';
    const { index } = this.#open;
    this.#open = null;
    return named({ type: 'content_block_stop', index });
  }

  #end(): string {
    const reason = stopReasonOf(this.#finish, this.#calls.size > 0);
    const stop_reason = this.#refused && reason === 'end_turn' ? 'refusal' : reason;
    return [
      this.#begin({}),
      this.#close(),
      named({
        type: 'message_delta',
        delta: { stop_reason, stop_sequence: null },
        usage: messagesUsageOf(this.#usage),
      }),
      named({ type: 'message_stop' }),
    ].join('');
  }
}

function named(event: { readonly type: string } & JsonObject): string {
  return sseEvent(event, event.type);
}
