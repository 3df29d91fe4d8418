import { expect, test } from 'vitest';
import { readInShares } from '../../../src/gateway/clock/in-shares.ts';
import { TurnEnd } from '../../../src/gateway/clock/turn-end.ts';

/** A body all of which is here, in chunks of one byte; it stops where it is told to. */
function manyChunks(count: number) {
  let heard: (part: Buffer) => void = () => {};
  let flows = true;
  let given = 0;
  const flow = (): void => {
    while (flows && given < count) {
      given += 1;
      heard(Buffer.from('x'));
    }
  };
  return {
    on(_event: 'data', listener: (part: Buffer) => void) {
      heard = listener;
      flow();
    },
    pause() {
      flows = false;
    },
    resume() {
      flows = true;
      flow();
    },
    given: () => given,
  };
}

test('a body in many chunks is read in shares, and others are heard between them', async () => {
  const body = manyChunks(1000);
  let now_ms = 0;
  // Later each time that it is asked: one share a turn.
  const turn = new TurnEnd(() => {
    now_ms += 1000;
    return now_ms;
  });
  const others: number[] = [];
  let read = 0;
  readInShares(body, turn, () => {
    read += 1;
  });
  while (read < 1000) {
    others.push(read);
    turn.write(() => others.push(read));
    await new Promise((resolve) => void setImmediate(resolve));
  }
  expect(others).toEqual([256, 256, 512, 512, 768, 768]);
  expect(body.given()).toBe(1000);
});

test('a body in few chunks waits for nobody', () => {
  const body = manyChunks(255);
  readInShares(body, new TurnEnd(), () => {});
  expect(body.given()).toBe(255);
});
