import type { ServerResponse } from 'node:http';

/** The client's end of a call: whether anybody is still there to be answered. */
export interface Client {
  readonly gone: boolean;
  /** The work's value, or `gone` as soon as the client has left. */
  unlessGone<Value>(work: Promise<Value>): Promise<Value | 'gone'>;
  /** Calls back when the client leaves, at once where it has left; one listener at a time. */
  onGone(listener: (() => void) | null): void;
}

/** A close after the answer's last byte was handed over is no abort: it is how clients let go. */
export function watchClient(response: ServerResponse): Client {
  let gone = false;
  let listener: (() => void) | null = null;
  response.once('close', () => {
    if (response.writableEnded) return;
    gone = true;
    listener?.();
  });
  const onGone = (next: (() => void) | null): void => {
    listener = next;
    if (gone) listener?.();
  };
  return {
    get gone() {
      return gone;
    },
    onGone,
    unlessGone(work) {
      if (gone) return Promise.resolve('gone');
      return new Promise((resolve, reject) => {
        onGone(() => resolve('gone'));
        work.then(resolve, reject);
      });
    },
  };
}
