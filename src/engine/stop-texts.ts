/**
 * Cuts generated text at the first stop text. What might be the beginning of one is held back, so
 * that no part of a stop text is ever streamed.
 */
export interface StopTexts {
  /** Text that is safe to send, and whether a stop text was met: then all further text is void. */
  push(text: string): { readonly text: string; readonly stopped: boolean };
  /** What was held back, at the end of generation. */
  rest(): string;
}

export function createStopTexts(stops: readonly string[]): StopTexts {
  let held = '';
  return {
    push(text) {
      const whole = held + text;
      const found = stops.map((stop) => whole.indexOf(stop)).filter((index) => index !== -1);
      if (found.length > 0) {
        held = '';
        return { text: whole.slice(0, Math.min(...found)), stopped: true };
      }
      const keep = Math.max(0, ...stops.map((stop) => overlap(whole, stop)));
      held = keep === 0 ? '' : whole.slice(-keep);
      return { text: whole.slice(0, whole.length - keep), stopped: false };
    },
    rest() {
      const text = held;
      held = '';
      return text;
    },
  };
}

/** Length of the longest end of `text` that `stop` begins with. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length -= 1) {
    if (stop.startsWith(text.slice(-length))) return length;
  }
  return 0;
}
