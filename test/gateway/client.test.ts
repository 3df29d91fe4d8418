import { expect, onTestFinished, test } from 'vitest';
import { watchClient } from '../../src/gateway/client.ts';
import type { OutboundResponse } from '../../src/gateway/front/inbound.ts';

/** A response of which only the close is of interest. */
function response(writableEnded = false) {
  let closed = (): void => {};
  const made = {
    writableEnded,
    on(_event: 'close', listener: () => void) {
      closed = listener;
    },
  } as unknown as OutboundResponse;
  return { made, close: () => closed() };
}

test('client has left when its connection closes before the answer’s last byte', async () => {
  const { made, close } = response();
  const client = watchClient(made);
  const work = client.unlessGone(new Promise(() => {}));
  expect(client.gone).toBe(false);

  close();

  expect(client.gone).toBe(true);
  expect(await work).toBe('gone');
  expect(await client.unlessGone(Promise.resolve('late'))).toBe('gone');
});

test('client has not left when its connection closes behind the answer', async () => {
  const { made, close } = response(true);
  const client = watchClient(made);
  close();
  expect(client.gone).toBe(false);
  expect(await client.unlessGone(Promise.resolve('done'))).toBe('done');
});

test('client calls one listener back, at once where it has left', () => {
  const { made, close } = response();
  const client = watchClient(made);
  const heard: string[] = [];
  client.onGone(() => heard.push('first'));
  client.onGone(() => heard.push('second'));
  close();
  client.onGone(() => heard.push('late'));
  expect(heard).toEqual(['second', 'late']);
});

test('client’s work that fails is told as it failed', async () => {
  const client = watchClient(response().made);
  const failing = client.unlessGone(Promise.reject(new Error('no')));
  await expect(failing).rejects.toThrow('no');
});

test('client that has left leaves no failure of its work to end the process', async () => {
  const { made, close } = response();
  const client = watchClient(made);
  close();
  const unheard: unknown[] = [];
  const hear = (reason: unknown): void => void unheard.push(reason);
  process.prependListener('unhandledRejection', hear);
  onTestFinished(() => void process.off('unhandledRejection', hear));
  expect(await client.unlessGone(Promise.reject(new Error('no')))).toBe('gone');
  await new Promise((next) => void setImmediate(next));
  expect(unheard).toEqual([]);
});
