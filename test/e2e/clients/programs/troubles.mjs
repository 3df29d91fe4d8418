import { play, thrownBy } from './play.mjs';

/**
 * What a client makes of an upstream in trouble: `ask(text, retries)` gives the text of a whole
 * answer, `stream(text, heard)` tells of its pieces until the client says that it is over.
 */
export function playTroubles({ ask, stream, statusOf }) {
  const own = (name) => `${name} ${process.pid}`;
  return play({
    down: () => thrownBy(() => ask(own('down'), 0), statusOf),
    retried: () => thrownBy(() => ask(own('down again'), 1), statusOf),
    flaky: async () => ({ text: await ask(own('flaky'), 1) }),
    limited: async () => ({ text: await ask(own('limited'), 2) }),
    reset: () => thrownBy(() => ask(own('reset'), 0), statusOf),
    cut: () => thrownBy(() => ask(own('cut'), 0), statusOf),
    async streamCut() {
      let text = '';
      const { message } = await thrownBy(() =>
        stream(own('cut'), (piece) => {
          text += piece ?? '';
        }),
      );
      return { text, message };
    },
    streamDown: () => thrownBy(() => stream(own('down'), () => {}), statusOf),
  });
}
