import type { JsonObject } from '../canonical.ts';
import { readChatChunk } from '../chat-dialect.ts';
import { NOTHING } from '../decoded.ts';
import { isObject, objectsIn, parseText, textIn } from '../json-values.ts';
import type { DecodedChunk, StreamDecoder, StreamStart } from '../provider.ts';
import { sseEvent } from '../sse-event.ts';
import { noteChunk, notesComment } from './answer-notes.ts';
import { nameFor, spokenOf, toolUseId } from './answers.ts';
import { Notes } from './notes.ts';
import { messagesUsageOf, usageOfChat } from './usage.ts';
import { factsFor, idFor, stopReasonOf } from './words.ts';

interface Block {
  readonly kind: 'text' | 'thinking' | 'redacted_thinking' | 'tool_use';
  /** Of a tool's call: its id, so that hosts that give all calls one index can be told apart. */
  readonly id: string;
  readonly content_block: JsonObject;
  /** What was said of it while another block was open. */
  readonly waiting: JsonObject[];
  /** Of a tool's call: its arguments so far. */
  args: string;
  /** It has been begun, and ended where it is not open. */
  begun: boolean;
  /** Of a thought: it is whole, and the next one is another. */
  signed: boolean;
}

/**
 * Chunks of a chat completion as Anthropic's events. Usage comes after the finish reason there, and
 * before it here: the closing events wait for the end of the stream. Blocks come one after another
 * here, while chunks of several calls may be mixed: what is said of another block waits until the
 * open one is whole.
 */
export class ChatToMessagesStream implements StreamDecoder {
  #model: string;
  readonly #recall: StreamStart['recall'];
  readonly #call_id: string;
  /** What the client knows the answer by, where the upstream did not say. */
  #own_id: string | null = null;
  #begun = false;
  /** Blocks that have begun. */
  #blocks = 0;
  #open: Block | null = null;
  /** Those that begin after it, in their order. */
  readonly #next: Block[] = [];
  readonly #calls = new Map<number, Block>();
  readonly #slots = new Map<string, number>();
  #highest = -1;
  #finish: string | null = null;
  #refused = false;
  #usage: JsonObject = {};
  readonly #notes = new Notes();

  constructor(start: StreamStart) {
    this.#model = start.model;
    this.#recall = start.recall;
    this.#call_id = start.call_id;
  }

  decode(event: Uint8Array): DecodedChunk {
    const { decoded, body } = readChatChunk(event);
    if (decoded.malformed) return decoded;
    if (decoded.error) {
      // Behind a finish reason it ends nothing, but says what the answer has cost.
      if (isObject(body?.usage)) this.#usage = body.usage;
      return decoded;
    }
    if (decoded.done) return { ...decoded, event: Buffer.from(this.#end()) };
    if (body === null) return decoded;
    const text = this.#translated(body);
    const facts = this.#named(decoded.facts);
    return { ...decoded, event: text === '' ? null : Buffer.from(text), facts, usage_only: false };
  }

  finish(): DecodedChunk {
    return { ...NOTHING, event: Buffer.from(this.#end()), done: true };
  }

  #named(facts: DecodedChunk['facts']): DecodedChunk['facts'] {
    if (this.#own_id === null) return factsFor('messages', facts);
    return { ...facts, completion_id: this.#own_id };
  }

  #translated(body: JsonObject): string {
    noteChunk(body, this.#notes);
    const choice = objectsIn(body.choices).find(({ index }) => (index ?? 0) === 0);
    this.#usage = usageOfChat(body, choice ?? null) ?? this.#usage;
    if (!choice) return '';
    const delta = isObject(choice.delta) ? choice.delta : {};
    let text = this.#begin(body);
    const spoken = spokenOf(delta);
    text += this.#think(objectsIn(delta.thinking_blocks), spoken.thinking);
    if (spoken.text !== '') text += this.#say('text', spoken.text);
    if (typeof delta.refusal === 'string' && delta.refusal !== '') {
      this.#refused = true;
      text += this.#say('text', delta.refusal);
    }
    const calls = objectsIn(delta.tool_calls);
    for (const [at, call] of calls.entries()) text += this.#call(call, calls.length > 1 ? at : -1);
    const finish = textIn(choice.finish_reason);
    if (finish === '') return text;
    this.#finish = finish;
    return text + this.#closeAll();
  }

  #begin(body: JsonObject): string {
    if (this.#begun) return '';
    this.#begun = true;
    if (typeof body.model === 'string' && body.model !== '') this.#model = body.model;
    const id = idFor('messages', body.id, this.#call_id);
    if (textIn(body.id) === '') this.#own_id = id;
    const message = {
      id,
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
    const last = this.#next.at(-1) ?? this.#open;
    const delta: JsonObject = kind === 'text' ? { text: said } : { thinking: said };
    const told: JsonObject = { type: `${kind}_delta`, ...delta };
    if (last?.kind === kind && !last.signed) return this.#tell(last, told);
    const empty: JsonObject = kind === 'text' ? { text: '' } : { thinking: '', signature: '' };
    const block = blockOf(kind, '', { type: kind, ...empty });
    return this.#add(block) + this.#tell(block, told);
  }

  /** Thoughts as whoever signed them has them, else as a text. */
  #think(blocks: readonly JsonObject[], thinking: string): string {
    const signed = blocks.map(({ thinking: said }) => textIn(said)).join('');
    let text = thinking !== '' && signed === '' ? this.#say('thinking', thinking) : '';
    for (const block of blocks) {
      const { type, data } = block;
      if (type === 'redacted_thinking') {
        text += this.#add(blockOf(type, '', { type, data: data ?? '' }));
        continue;
      }
      const said = textIn(block.thinking);
      if (said !== '') text += this.#say('thinking', said);
      const signature = textIn(block.signature);
      if (signature !== '') text += this.#sign(signature);
    }
    return text;
  }

  #sign(signature: string): string {
    const last = this.#next.at(-1) ?? this.#open;
    // A thought that is not shown has nothing but its signature.
    const begun = last?.kind === 'thinking' && !last.signed ? '' : this.#say('thinking', '');
    const block = this.#next.at(-1) ?? (this.#open as Block);
    block.signed = true;
    return begun + this.#tell(block, { type: 'signature_delta', signature });
  }

  /** `at` is its place among several of one chunk. */
  #call(call: JsonObject, at: number): string {
    const called = isObject(call.function) ? call.function : {};
    const id = typeof call.id === 'string' ? call.id : '';
    const slot = this.#slotOf(call, id, at);
    let block = this.#calls.get(slot);
    let text = '';
    if (!block) {
      const name = nameFor(this.#recall, called.name);
      const told = toolUseId(id, this.#calls.size, this.#call_id);
      block = blockOf('tool_use', id, { type: 'tool_use', id: told, name, input: {} });
      this.#calls.set(slot, block);
      this.#highest = Math.max(this.#highest, slot);
      if (!this.#slots.has(id)) this.#slots.set(id, slot);
      text = this.#add(block);
    }
    const { arguments: given } = called;
    // Some hosts give the object itself, and `null` for none.
    const partial_json = isObject(given) ? JSON.stringify(given) : textIn(given);
    if (partial_json === '' || (partial_json === 'null' && block.args === '')) return text;
    block.args += partial_json;
    return text + this.#tell(block, { type: 'input_json_delta', partial_json });
  }

  /** Some hosts leave out the index, or give every call the same: a new id is a new call. */
  #slotOf(call: JsonObject, id: string, at: number): number {
    const last = this.#calls.size - 1;
    const nameless = at === -1 ? last : at;
    const given = typeof call.index === 'number' ? call.index : id === '' ? nameless : last + 1;
    const known = this.#calls.get(given);
    const other = known !== undefined && id !== '' && known.id !== id;
    return other ? (this.#slots.get(id) ?? this.#highest + 1) : Math.max(0, given);
  }

  #add(block: Block): string {
    this.#next.push(block);
    return this.#advance();
  }

  /** What is said of a block that has ended comes too late: its arguments were whole. */
  #tell(block: Block, delta: JsonObject): string {
    if (block === this.#open) return this.#delta(delta) + this.#advance();
    if (!block.begun) block.waiting.push(delta);
    return '';
  }

  /** Begins the blocks that wait, as far as those before them are whole. */
  #advance(): string {
    let text = '';
    while (this.#next.length > 0 && (this.#open === null || isWhole(this.#open))) {
      text += this.#close() + this.#beginBlock(this.#next.shift() as Block);
    }
    return text;
  }

  #beginBlock(block: Block): string {
    this.#open = block;
    block.begun = true;
    const { content_block, waiting } = block;
    const start = { type: 'content_block_start', index: this.#blocks++, content_block };
    return named(start) + waiting.map((delta) => this.#delta(delta)).join('');
  }

  #delta(delta: JsonObject): string {
    return named({ type: 'content_block_delta', index: this.#blocks - 1, delta });
  }

  #close(): string {
    if (!this.#open) return '';
    this.#open = null;
    return named({ type: 'content_block_stop', index: this.#blocks - 1 });
  }

  /** Nothing more is to come: what is not whole stays as it is. */
  #closeAll(): string {
    const waiting = this.#next.splice(0);
    const begun = waiting.map((block) => this.#close() + this.#beginBlock(block)).join('');
    return begun + this.#close();
  }

  #end(): string {
    const reason = stopReasonOf(this.#finish, this.#calls.size > 0);
    const stop_reason = this.#refused && reason === 'end_turn' ? 'refusal' : reason;
    return [
      this.#begin({}),
      this.#closeAll(),
      notesComment(this.#notes),
      named({
        type: 'message_delta',
        delta: { stop_reason, stop_sequence: null },
        usage: messagesUsageOf(this.#usage),
      }),
      named({ type: 'message_stop' }),
    ].join('');
  }
}

function blockOf(kind: Block['kind'], id: string, content_block: JsonObject): Block {
  return { kind, id, content_block, waiting: [], args: '', begun: false, signed: false };
}

/** A call is whole with its arguments; one that has none yet may get some until the stream ends. */
function isWhole({ kind, args }: Block): boolean {
  return kind !== 'tool_use' || (args.trimEnd().endsWith('}') && isObject(parseText(args)));
}

function named(event: { readonly type: string } & JsonObject): string {
  return sseEvent(event, event.type);
}
