import type { LlamaContextSequence, LlamaModel, Token } from 'node-llama-cpp';
import { describe, expect, test } from 'vitest';
import { generate } from '../../src/engine/generate.ts';

/** A model whose tokens are bytes, and a sequence that says the given ones. */
function scripted(said: Uint8Array) {
  const state = { asked: 0, left: false, cleared: 0 };
  const model = {
    detokenize: (tokens: readonly number[]) => Buffer.from(tokens).toString('utf8'),
  } as unknown as LlamaModel;
  const sequence = {
    async clearHistory() {
      state.cleared += 1;
    },
    async *evaluate() {
      try {
        for (const byte of said) {
          state.asked += 1;
          yield byte as Token;
        }
      } finally {
        state.left = true;
      }
    },
  } as unknown as LlamaContextSequence;
  return { model, sequence, state };
}

async function run(said: string, more: Partial<Parameters<typeof generate>[2]> = {}) {
  const { model, sequence, state } = scripted(Buffer.from(said));
  const parts: string[] = [];
  const generated = await generate(
    model,
    sequence,
    {
      prompt: { tokens: [], stop_tokens: new Set() },
      tokens_max: 100,
      sampling: { temperature: 0 },
      stops: [],
      signal: new AbortController().signal,
      ...more,
    },
    (text) => void parts.push(text),
  );
  return { ...generated, parts, state };
}

describe('generate', () => {
  test('generate starts from nothing and hands out text token by token', async () => {
    const { parts, finish, tokens, state } = await run('abc');
    expect(parts).toEqual(['a', 'b', 'c']);
    expect([finish, tokens, state.cleared]).toEqual(['stop', 3, 1]);
  });

  test('generate never hands out half a character', async () => {
    expect((await run('aé🜁!')).parts).toEqual(['a', 'é', '🜁', '!']);
    expect((await run('🜁', { tokens_max: 3 })).parts).toEqual(['\uFFFD']);
  });

  test('generate ends at its limit, at a stop token, and at a stop text', async () => {
    expect(await run('abc', { tokens_max: 2 })).toMatchObject({ finish: 'length', tokens: 2 });
    const prompt = { tokens: [], stop_tokens: new Set(['b'.charCodeAt(0) as Token]) };
    expect(await run('abc', { prompt })).toMatchObject({ finish: 'stop', parts: ['a'] });
    expect(await run('abcd', { stops: ['bc'] })).toMatchObject({ finish: 'stop', parts: ['a'] });
    expect((await run('ab', { stops: ['bc'] })).parts.join('')).toBe('ab');
  });

  test('generate stops asking for tokens once the client has gone', async () => {
    const { model, sequence, state } = scripted(Buffer.from('a'.repeat(1000)));
    const gone = new AbortController();
    const generation = {
      prompt: { tokens: [], stop_tokens: new Set<Token>() },
      tokens_max: 1000,
      sampling: { temperature: 0 },
      stops: [],
      signal: gone.signal,
    };
    const running = generate(model, sequence, generation, () => {
      if (state.asked === 3) gone.abort(new Error('hung up'));
    });
    await expect(running).rejects.toThrow('hung up');
    expect(state).toMatchObject({ asked: 4, left: true });
  });
});
