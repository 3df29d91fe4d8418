import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createStopTexts } from '../../src/engine/stop-texts.ts';

function run(parts: readonly string[], stops: readonly string[]) {
  const texts = createStopTexts(stops);
  let sent = '';
  for (const part of parts) {
    const { text, stopped } = texts.push(part);
    sent += text;
    if (stopped) return { sent, stopped };
  }
  return { sent: sent + texts.rest(), stopped: false };
}

describe('stop texts', () => {
  test('stop texts cut at the first stop, also when it is spread over parts', () => {
    expect(run(['he', 'l', 'lo'], ['lo'])).toEqual({ sent: 'hel', stopped: true });
    expect(run(['hello'], ['x', 'l', 'e'])).toEqual({ sent: 'h', stopped: true });
  });

  test('stop texts give back at the end what only looked like a stop', () => {
    expect(run(['one<', '|'], ['<|end|>'])).toEqual({ sent: 'one<|', stopped: false });
  });

  test('stop texts mean the same however the text is split', () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'ab', 'ba'), { maxLength: 12 });
    const stop = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(text, fc.array(stop, { maxLength: 1 }), (parts, stops) => {
        const whole = parts.join('');
        const at = stops[0] === undefined ? -1 : whole.indexOf(stops[0]);
        const sent = at === -1 ? whole : whole.slice(0, at);
        expect(run(parts, stops)).toEqual({ sent, stopped: at !== -1 });
      }),
    );
  });
});
