import { expect, test } from 'vitest';
import { messagesToChat } from '../../../src/core/translate/messages-request.ts';

test('messages of a role that Anthropic does not have never speak as the system', () => {
  const turn = (role: string) => ({ role, content: role });
  const messages = [turn('user'), turn('system'), turn('tool'), turn('developer')];
  const { body, notes } = messagesToChat({ max_tokens: 9, messages }, 'gpt-5-mini', {});
  expect(body.messages).toEqual([turn('user'), turn('system')]);
  expect(notes.map(({ subject }) => subject)).toEqual([
    'messages.role tool',
    'messages.role developer',
  ]);
});
