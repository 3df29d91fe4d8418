import type { JsonObject } from '../canonical.ts';
import { textIn } from '../json-values.ts';

/**
 * The blocks of thinking of a stream, put together from the pieces that were sent. OpenAI's own
 * helper (`chat.completions.stream`, `runTools`) keeps of a field that it does not know the last
 * piece alone, and sends that back; Anthropic refuses a thought that is not as it was. So they are
 * told once more behind all pieces, in a field of their own, which every client keeps as it came.
 */
export class WholeThoughts {
  #blocks: JsonObject[] = [];
  #pieces = 0;

  /** A piece of the block of that number. */
  add(number: number, piece: JsonObject): void {
    this.#pieces += 1;
    const before = this.#blocks[number];
    const block = { ...before, ...piece };
    const said = before?.thinking !== undefined && piece.thinking !== undefined;
    const thinking = textIn(before?.thinking) + textIn(piece.thinking);
    this.#blocks[number] = said ? { ...block, thinking } : block;
  }

  /** The blocks, once; null where the last piece says it all. */
  take(): readonly JsonObject[] | null {
    const whole = this.#pieces > 1 ? this.#blocks : null;
    this.#blocks = [];
    this.#pieces = 0;
    return whole;
  }
}
