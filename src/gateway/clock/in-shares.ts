import type { TurnEnd } from './turn-end.ts';

/** Chunks that are read of one request in a turn of the event loop: they may be of one byte. */
const PARTS_A_TURN = 256;

/** What is read of a request of Node's. */
export interface SharedBody {
  on(event: 'data', listener: (part: Buffer) => void): unknown;
  pause(): unknown;
  resume(): unknown;
}

/**
 * Reads a body, but no more of it than its share of a turn: each chunk that Node's parser has read
 * comes alone, and tens of thousands of them may be here at once. (What the lane reads comes in
 * large parts, however it was sent.)
 */
export function readInShares(
  body: SharedBody,
  turn: TurnEnd,
  onPart: (part: Buffer) => void,
): void {
  let left = PARTS_A_TURN;
  const goOn = (): void => {
    left = PARTS_A_TURN;
    body.resume();
  };
  body.on('data', (part) => {
    onPart(part);
    left -= 1;
    if (left > 0) return;
    body.pause();
    turn.share(goOn);
  });
}
