import type { LlamaContextSequence, LlamaModel, Token } from 'node-llama-cpp';
import type { Sampling } from './chat-request.ts';
import type { Prompt } from './chat-template.ts';
import { createStopTexts } from './stop-texts.ts';

export interface Generation {
  readonly prompt: Prompt;
  readonly tokens_max: number;
  readonly sampling: Sampling;
  readonly stops: readonly string[];
  readonly signal: AbortSignal;
}

export interface Generated {
  readonly finish: 'stop' | 'length';
  readonly tokens: number;
}

/** A character can be spread over a few tokens; this many are held for the rest of it, at most. */
const HELD_TOKENS_MAX = 8;
/** Tokens before the held ones, by which a tokenizer decides on spaces. */
const CONTEXT_TOKENS = 8;

/**
 * Generates an answer, handing out text as soon as it is certain. The sequence starts from nothing:
 * what an earlier request left in it, perhaps under another adapter, must not leak into this one.
 */
export async function generate(
  model: LlamaModel,
  sequence: LlamaContextSequence,
  generation: Generation,
  onText: (text: string) => void | Promise<void>,
): Promise<Generated> {
  const { prompt, sampling, signal, tokens_max } = generation;
  await sequence.clearHistory();
  const stops = createStopTexts(generation.stops);
  const done: Token[] = [];
  let held: Token[] = [];
  let count = 0;
  for await (const token of sequence.evaluate(prompt.tokens, sampling)) {
    signal.throwIfAborted();
    if (prompt.stop_tokens.has(token)) break;
    count += 1;
    held.push(token);
    const text = model.detokenize(held, false, done.slice(-CONTEXT_TOKENS));
    if (!text.endsWith('\uFFFD') || held.length >= HELD_TOKENS_MAX) {
      done.push(...held);
      held = [];
      const safe = stops.push(text);
      if (safe.text !== '') await onText(safe.text);
      if (safe.stopped) return { finish: 'stop', tokens: count };
    }
    if (count >= tokens_max) return await finish('length');
  }
  return await finish('stop');

  async function finish(reason: Generated['finish']): Promise<Generated> {
    const last = stops.push(model.detokenize(held, false, done.slice(-CONTEXT_TOKENS)));
    const rest = last.stopped ? last.text : last.text + stops.rest();
    if (rest !== '') await onText(rest);
    return { finish: last.stopped ? 'stop' : reason, tokens: count };
  }
}
