import type { Json, JsonObject } from '../canonical.ts';
import { NOTHING } from '../decoded.ts';
import { isObject, objectsIn, textIn } from '../json-values.ts';
import { MessagesReader } from '../messages-events.ts';
import type { DecodedChunk, StreamDecoder, StreamStart } from '../provider.ts';
import { sseEvent } from '../sse-event.ts';
import { noteMessagesEvent, noteSecondCall, notesComment } from './answer-notes.ts';
import { finishFor, isThinking, THOUGHTS_APART } from './answers.ts';
import { Notes } from './notes.ts';
import { chatUsageOf } from './usage.ts';
import { WholeThoughts } from './whole-thoughts.ts';
import { factsFor, idFor } from './words.ts';

const DONE = 'data: [DONE]\n\n';
const PING = ': ping\n\n';

interface Block {
  readonly type: Json;
  /** Which tool call, or which thinking block, it is to the client. */
  readonly number: number;
  /** Whether a tool's arguments have begun. */
  begun: boolean;
}

/**
 * Anthropic's stream as chunks of a chat completion, event for event. The order of its blocks is
 * kept; what is remembered is which tool call and which thinking block an index belongs to.
 */
export class MessagesToChatStream implements StreamDecoder {
  readonly #start: StreamStart;
  readonly #reader = new MessagesReader();
  readonly #notes = new Notes();
  #id = '';
  #model: string;
  #calls = 0;
  #thoughts = 0;
  /** The number of the last thinking block that said anything. */
  #thought_last: number | null = null;
  readonly #whole = new WholeThoughts();
  /** The block that is spoken of. */
  #block: Block | null = null;
  /** Those that are open, by the index that the provider gave them: they may be mixed. */
  readonly #open = new Map<Json | undefined, Block>();
  /** Why the answer stopped, until it is told. */
  #stop: string | null = null;

  constructor(start: StreamStart) {
    this.#start = start;
    this.#model = start.model;
  }

  decode(event: Uint8Array): DecodedChunk {
    const { decoded, body } = this.#reader.read(event);
    if (body === null || decoded.error || decoded.malformed) return decoded;
    const text = this.#translated(body);
    const { completion_id } = decoded.facts;
    const nameless = body.type === 'message_start' && !completion_id;
    const told = nameless ? { ...decoded.facts, completion_id: this.#id } : decoded.facts;
    const facts = factsFor('chat', told);
    return { ...decoded, event: text === '' ? null : Buffer.from(text), facts };
  }

  finish(): DecodedChunk {
    return { ...NOTHING, event: Buffer.from(this.#end()), done: true };
  }

  #translated(body: JsonObject): string {
    noteMessagesEvent(body, this.#notes);
    switch (body.type) {
      case 'message_start':
        return this.#opening(body.message);
      case 'content_block_start':
        return this.#blockStart(body.content_block, body.index);
      case 'content_block_delta':
        this.#block = this.#at(body.index);
        return isObject(body.delta) ? this.#blockDelta(body.delta) : '';
      case 'content_block_stop':
        return this.#blockStop(body.index);
      case 'message_delta':
        return this.#closing(body.delta);
      case 'message_stop':
        return this.#end();
      case 'ping':
        return PING;
      default:
        return '';
    }
  }

  #opening(message: Json | undefined): string {
    if (isObject(message)) {
      this.#id = idFor('chat', message.id, this.#start.call_id);
      if (typeof message.model === 'string') this.#model = message.model;
    }
    const opening = this.#chunk({ role: 'assistant', content: '', refusal: null });
    if (!isObject(message)) return opening;
    // An answer that goes on from a tool that the provider ran has all its blocks at once.
    this.#stop = textIn(message.stop_reason) || null;
    const blocks = objectsIn(message.content);
    const whole = (block: JsonObject): string =>
      this.#blockStart(block, undefined) + this.#blockStop(undefined);
    return opening + blocks.map(whole).join('');
  }

  #blockStart(block: Json | undefined, index: Json | undefined): string {
    if (!isObject(block)) return '';
    if (block.type === 'tool_use') return this.#callStart(block, index);
    if (isThinking(block.type)) {
      this.#begin(index, { type: block.type ?? null, number: this.#thoughts++, begun: false });
      if (block.type === 'redacted_thinking') {
        return this.#thought({ type: block.type, data: block.data ?? '' });
      }
      const thought = block.thinking ? this.#blockDelta({ ...block, type: 'thinking_delta' }) : '';
      return block.signature
        ? thought + this.#blockDelta({ ...block, type: 'signature_delta' })
        : thought;
    }
    this.#begin(index, { type: block.type ?? null, number: 0, begun: false });
    return block.text ? this.#blockDelta({ ...block, type: 'text_delta' }) : '';
  }

  #begin(index: Json | undefined, block: Block): void {
    this.#block = block;
    this.#open.set(index, block);
  }

  /** Where no index is told, it is the block that was spoken of last. */
  #at(index: Json | undefined): Block | null {
    return index === undefined ? this.#block : (this.#open.get(index) ?? null);
  }

  #callStart(block: JsonObject, index: Json | undefined): string {
    const filled = isObject(block.input) && Object.keys(block.input).length > 0;
    this.#begin(index, { type: 'tool_use', number: this.#calls++, begun: filled });
    const text = filled ? JSON.stringify(block.input) : '';
    const called = { name: block.name ?? '', arguments: text };
    return this.#call({ id: block.id ?? '', type: 'function', function: called });
  }

  #blockDelta(delta: JsonObject): string {
    switch (delta.type) {
      case 'text_delta':
        return this.#chunk({ content: delta.text ?? '' });
      case 'thinking_delta': {
        const thinking = textIn(delta.thinking);
        const reasoning_content = this.#parting(thinking) + thinking;
        return this.#thought({ type: 'thinking', thinking }, { reasoning_content });
      }
      case 'signature_delta':
        return this.#thought({ type: 'thinking', signature: delta.signature ?? '' });
      case 'input_json_delta':
        // A tool that the provider runs itself has its input too, which is nobody's call.
        if (this.#block?.type !== 'tool_use' || !delta.partial_json) return '';
        this.#block.begun = true;
        return this.#call({ function: { arguments: delta.partial_json } });
      default:
        return '';
    }
  }

  /** A call without arguments has `{}`: clients parse what they get. */
  #blockStop(index: Json | undefined): string {
    this.#block = this.#at(index);
    this.#open.delete(index);
    const bare = this.#block?.type === 'tool_use' && !this.#block.begun;
    return bare ? this.#call({ function: { arguments: '{}' } }) : '';
  }

  #call(call: { readonly function: JsonObject } & JsonObject): string {
    const index = this.#block?.number ?? 0;
    if (!this.#start.recall?.legacy) return this.#chunk({ tool_calls: [{ index, ...call }] });
    if (index === 0) return this.#chunk({ function_call: call.function });
    noteSecondCall(this.#notes);
    return '';
  }

  /** What parts one thought from the one before, as in a whole answer. */
  #parting(thinking: string): string {
    if (thinking === '' || this.#block === null) return '';
    const goesOn = this.#thought_last === null || this.#thought_last === this.#block.number;
    this.#thought_last = this.#block.number;
    return goesOn ? '' : THOUGHTS_APART;
  }

  #thought(block: JsonObject, more: JsonObject = {}): string {
    const index = this.#block?.number ?? 0;
    this.#whole.add(index, block);
    return this.#chunk({ ...more, thinking_blocks: [{ index, ...block }] });
  }

  #closing(delta: Json | undefined): string {
    if (isObject(delta)) this.#stop = textIn(delta.stop_reason) || this.#stop;
    return this.#finished();
  }

  #finished(): string {
    const reason = this.#stop;
    this.#stop = null;
    if (reason === null) return '';
    const whole_thinking_blocks = this.#whole.take();
    const thoughts = whole_thinking_blocks === null ? '' : this.#chunk({ whole_thinking_blocks });
    return thoughts + this.#chunk({}, finishFor(this.#start.recall, reason));
  }

  #end(): string {
    const notes = this.#finished() + notesComment(this.#notes);
    if (!this.#start.include_usage) return notes + DONE;
    const usage = chatUsageOf(this.#reader.usage);
    return notes + sseEvent({ ...this.#frame(), choices: [], usage }) + DONE;
  }

  #frame(): JsonObject {
    const { created_s } = this.#start;
    const object = 'chat.completion.chunk';
    return { id: this.#id, object, created: created_s, model: this.#model };
  }

  #chunk(delta: JsonObject, finish_reason: string | null = null): string {
    const choices = [{ index: 0, delta, logprobs: null, finish_reason }];
    const usage = this.#start.include_usage ? { usage: null } : {};
    return sseEvent({ ...this.#frame(), choices, ...usage });
  }
}
