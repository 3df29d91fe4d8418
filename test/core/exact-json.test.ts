import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/canonical.ts';
import { parseExact } from '../../src/core/exact-json.ts';
import { chatAnswerToMessages, messagesAnswerToChat } from '../../src/core/translate/answers.ts';
import { chatToMessages } from '../../src/core/translate/chat-request.ts';
import { messagesToChat } from '../../src/core/translate/messages-request.ts';

const FRAME = { model: 'm', created_s: 1, call_id: 'call_1' };

describe('numbers', () => {
  test('a long integer keeps its digits in a tool’s arguments, there and back', () => {
    const text =
      '{"content":[{"type":"tool_use","id":"t","name":"f",' +
      '"input":{"id":9223372036854775807,"x":1.50}}]}';
    const chat = messagesAnswerToChat(parseExact(text) as JsonObject, FRAME);
    expect(JSON.stringify(chat)).toContain('{\\"id\\":9223372036854775807,\\"x\\":1.50}');
    const back = chatAnswerToMessages(parseExact(JSON.stringify(chat)) as JsonObject, FRAME);
    expect(JSON.stringify(back)).toContain('"input":{"id":9223372036854775807,"x":1.50}');
  });

  test('a number that no double holds stays as it was written', () => {
    const text = '{"x":1e400,"y":[-2E+1000,1.5e400],"z":3e-999}';
    expect(JSON.stringify(parseExact(text))).toBe(text);
  });

  test('parameters count however their numbers are written, beside long ones too', () => {
    const message = '{"role":"user","content":"order 1234567890123456"}';
    const ask = (fields: string): JsonObject =>
      parseExact(`{"messages":[${message}],"max_tokens":9.0,${fields}}`) as JsonObject;
    const there = chatToMessages(ask('"temperature":0.0,"top_p":1.0,"presence_penalty":0.0'), 'm');
    expect(there.notes).toEqual([]);
    expect(there.body).toMatchObject({ max_tokens: 9, temperature: 0, top_p: 1 });
    const float = chatToMessages(ask('"temperature":0.69999998807907104'), 'm');
    expect(float).toMatchObject({ body: { temperature: 0.699999988079071 }, notes: [] });
    const quirks = { fixed: /./ };
    const back = messagesToChat(ask('"temperature":1.0,"top_p":1.00'), 'm', quirks);
    expect(back).toMatchObject({ body: { max_completion_tokens: 9 }, notes: [] });
  });

  test('parsing exactly and writing again is what plain parsing does for all that fits', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(JSON.stringify(parseExact(text))).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
    expect(parseExact('{')).toBeUndefined();
  });
});
