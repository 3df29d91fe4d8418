import type { JsonObject } from '../../src/core/canonical.ts';
import { chatToMessages } from '../../src/core/translate/chat-request.ts';

/** A chat completion asked of Claude: its body, and what of it is told to be lost. */
export function translateChat(chat: object, model = 'claude-sonnet-4-5') {
  const { body, notes } = chatToMessages({ messages: [HI], ...chat } as JsonObject, model);
  return { body: body as Record<string, unknown>, notes: notes.map(({ subject }) => subject) };
}

export const HI = { role: 'user', content: 'hi' };

/** A chat's call of a tool with these arguments. */
export const toolCall = (id: string, text: string) => ({
  id: `call_${id}`,
  type: 'function',
  function: { name: 'f', arguments: text },
});
