import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { anthropicAt } from '../gateway/snapshot.ts';
import { startUpstream } from '../kit/upstream.ts';
import { serve } from './contract-kit.ts';

const ANSWER = readFileSync(
  new URL('../fixtures/providers/anthropic-tools.sse', import.meta.url),
  'utf8',
);

test('thoughts of a stream come back as they were, by the SDK’s own helper', async () => {
  const upstream = await startUpstream(({ response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(ANSWER);
  });
  const gateway = await serve({ targets: { main: { provider: anthropicAt(upstream.url) } } });
  const ask = async (...messages: readonly object[]) => {
    const asked = { role: 'user' as const, content: 'Weather?' };
    const body = { model: 'default', messages: [asked, ...messages] as (typeof asked)[] };
    return await gateway.client.chat.completions.stream(body).finalChatCompletion();
  };
  try {
    const message = (await ask()).choices[0]?.message;
    const calls = message?.tool_calls ?? [];
    const results = calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: 'sunny' }));
    await ask(message as object, ...results);
    const sent = upstream.requests[1]?.body.messages as readonly { content: readonly object[] }[];
    expect(sent[1]?.content.slice(0, 2)).toEqual([
      {
        type: 'thinking',
        thinking: 'Two calls are needed.',
        signature: 'EqQBCgIYAhIM1gbcDa9GJwZA2b3h',
      },
      { type: 'redacted_thinking', data: 'EmwKAhgBEgy3va3pzix' },
    ]);
  } finally {
    await gateway.close();
    await upstream.close();
  }
});
