import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  chatUsageOf,
  messagesUsageOf,
  tokensOfChat,
  tokensOfMessages,
  usageOfChat,
} from '../../../src/core/translate/usage.ts';

const counts = fc.record({
  input_tokens: fc.nat(1e6),
  cache_read_input_tokens: fc.nat(1e6),
  cache_creation_input_tokens: fc.nat(1e6),
  output_tokens: fc.nat(1e6),
});

describe('usage', () => {
  test('usage counts the same in either dialect, there and back', () => {
    fc.assert(
      fc.property(counts, fc.nat(1e6), (given, thinking_tokens) => {
        const usage = { ...given, output_tokens_details: { thinking_tokens } };
        const chat = chatUsageOf(usage);
        expect(tokensOfChat(chat)).toEqual(tokensOfMessages(usage));
        const { output_tokens_details, ...back } = messagesUsageOf(chat);
        expect(back).toEqual(given);
        const thought = output_tokens_details ?? { thinking_tokens: 0 };
        expect(thought).toEqual({ thinking_tokens });
      }),
    );
  });

  test('usage takes along what the other dialect has no count for', () => {
    const server_tool_use = { web_search_requests: 2 };
    expect(chatUsageOf({ input_tokens: 1, output_tokens: 2, server_tool_use })).toMatchObject({
      total_tokens: 3,
      server_tool_use,
    });
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3, cost: 0.5 };
    expect(messagesUsageOf(usage)).toMatchObject({ input_tokens: 1, output_tokens: 2, cost: 0.5 });
  });

  test('usage of a host that leaves thinking out of the completion counts it all the same', () => {
    const usage = { prompt_tokens: 291, completion_tokens: 26, total_tokens: 506 };
    expect(tokensOfChat(usage)).toMatchObject({ in: 291, out: 215 });
    // A total that is too small, or none at all, takes nothing away.
    expect(tokensOfChat({ ...usage, total_tokens: 5 })).toMatchObject({ out: 26 });
    expect(tokensOfChat({ prompt_tokens: 1, completion_tokens: 2 })).toMatchObject({ out: 2 });
  });

  test('usage finds what was read from the cache beside the counts too', () => {
    const usage = { prompt_tokens: 90, completion_tokens: 1, total_tokens: 91 };
    expect(tokensOfChat({ ...usage, cached_tokens: 64 }).cached).toBe(64);
    expect(tokensOfChat({ ...usage, prompt_cache_hit_tokens: 32 }).cached).toBe(32);
    const prompt_tokens_details = { cached_tokens: 16, cache_write_tokens: 8 };
    expect(messagesUsageOf({ ...usage, prompt_tokens_details })).toMatchObject({
      input_tokens: 66,
      cache_read_input_tokens: 16,
      cache_creation_input_tokens: 8,
    });
  });

  test('usage adds what it took to compact a conversation, and no other iteration', () => {
    const compaction = { type: 'compaction', input_tokens: 1000, output_tokens: 50 };
    const message = { type: 'message', input_tokens: 20, output_tokens: 5 };
    const advisor = { type: 'advisor_message', input_tokens: 7, output_tokens: 7 };
    const iterations = [compaction, message, advisor];
    const usage = { input_tokens: 20, output_tokens: 5, iterations };
    expect(tokensOfMessages(usage)).toMatchObject({ in: 1020, out: 55 });
    expect(chatUsageOf(usage)).toMatchObject({ prompt_tokens: 1020, total_tokens: 1075 });
  });

  test('usage stands beside the choices, else in the one that finishes, else in x_groq', () => {
    const usage = { prompt_tokens: 1 };
    const finished = { finish_reason: 'stop' };
    expect(usageOfChat({ usage }, null)).toBe(usage);
    expect(usageOfChat({ usage: null }, { ...finished, usage })).toBe(usage);
    expect(usageOfChat({ x_groq: { usage } }, finished)).toBe(usage);
    expect(usageOfChat({ x_groq: { usage } }, { finish_reason: null })).toBeNull();
    expect(usageOfChat({ x_groq: { id: 'req' } }, finished)).toBeNull();
    expect(usageOfChat({}, null)).toBeNull();
  });
});
