import { actor, apiOf } from '../../kit/actor.ts';
import { type Behaviour, reset, status } from '../../kit/behaviours.ts';

export const DOWN = 'this actor is ill';
export const LIMITED = 'this actor needs a moment';

/**
 * An upstream in trouble, by what its last user message says: `down` fails each time, `flaky` and
 * `limited` fail the first time that the same is asked, `reset` hangs up without a word, and `cut`
 * breaks off amid its answer. Anything else is played as it should be.
 */
export function troubles(): Behaviour {
  const play = actor();
  const asked = new Set<string>();
  const isFirst = (text: string): boolean => {
    const first = !asked.has(text);
    asked.add(text);
    return first;
  };
  return async (exchange) => {
    const { path, body } = exchange.request;
    const text = JSON.stringify(body.messages ?? body.input ?? '');
    const api = apiOf(path);
    if (text.includes('down')) return status(503, api.error(DOWN))(exchange);
    if (text.includes('flaky') && isFirst(path + text)) {
      return status(500, api.error(DOWN))(exchange);
    }
    if (text.includes('limited') && isFirst(path + text)) {
      return status(429, api.error(LIMITED), { 'retry-after': '1' })(exchange);
    }
    if (text.includes('reset')) return reset()(exchange);
    if (!text.includes('cut')) return play(exchange);
    if (body.stream !== true) return reset('after-headers')(exchange);
    const scene = { kind: 'text', words: ['one ', 'two '] } as const;
    const events = api.events(scene, exchange).slice(0, api.opening).join('');
    exchange.response.writeHead(200, { 'content-type': 'text/event-stream' });
    exchange.response.write(events, () => exchange.cut('reset'));
    return exchange.over;
  };
}
