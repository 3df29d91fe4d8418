import type { Json, JsonObject } from './canonical.ts';
import { readChatChunk } from './chat-dialect.ts';
import { isObject } from './json-values.ts';
import type { DecodedChunk, StreamDecoder } from './provider.ts';

/**
 * How many choices an answer is to have: `n` of a chat completion; of a text completion `n` for
 * each of its prompts, of which there are several where it has a list of texts or of tokens' lists.
 */
export function choicesOf(body: JsonObject, patch: JsonObject): number {
  const n = patch.n ?? body.n;
  const prompt = patch.prompt ?? body.prompt;
  const each = typeof n === 'number' && Number.isSafeInteger(n) && n > 0 ? n : 1;
  const prompts = Array.isArray(prompt) && typeof prompt[0] !== 'number' ? prompt.length : 1;
  return each * Math.max(1, prompts);
}

/**
 * A stream of several choices, whose chunks come mixed or one choice after another: without
 * `[DONE]` it is complete when all of them have finished, not when the first one has.
 */
export class SeveralChoices implements StreamDecoder {
  readonly #choices: number;
  readonly #finished = new Set<number>();

  constructor(choices: number) {
    this.#choices = choices;
  }

  decode(event: Uint8Array): DecodedChunk {
    const { decoded, body } = readChatChunk(event);
    const choices = Array.isArray(body?.choices) ? (body.choices as readonly Json[]) : [];
    for (const choice of choices) {
      if (!isObject(choice) || typeof choice.finish_reason !== 'string') continue;
      this.#finished.add(typeof choice.index === 'number' ? choice.index : 0);
    }
    return { ...decoded, finished: this.#finished.size >= this.#choices };
  }
}
