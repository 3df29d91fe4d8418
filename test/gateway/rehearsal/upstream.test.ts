import { expect, test } from 'vitest';
import { TurnEnd } from '../../../src/gateway/clock/turn-end.ts';
import { createRehearsalUpstream } from '../../../src/gateway/rehearsal/upstream.ts';

test('upstream of a rehearsal answers when the turn ends, in a real one’s order', async () => {
  const upstream = createRehearsalUpstream(new TurnEnd());
  const heard: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const request = {
    base_url: 'https://rehearsal.invalid',
    network: 'public',
    connect_ms: 1000,
    method: 'POST',
    path: '/v1/chat/completions',
    headers: {},
    body: Buffer.from('{}'),
  } as const;

  upstream.send(request, {
    onSent: () => void heard.push('sent'),
    onHeaders: (status) => void heard.push(`status ${status}`),
    onData: (bytes) => void heard.push(JSON.parse(Buffer.from(bytes).toString()).object),
    onEnd() {
      heard.push('end');
      resolve();
    },
    onError: (error) => void heard.push(error.message),
  });
  heard.push('asked');
  await promise;

  expect(heard).toEqual(['asked', 'sent', 'status 200', 'chat.completion', 'end']);
});
