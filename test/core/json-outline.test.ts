import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonOutline } from '../../src/core/json-outline.ts';

const LIMITS = { string_bytes: 20, members: 3 };

function outlineOf(text: string | Buffer, limits = LIMITS, step = 7): string | null {
  const outline = new JsonOutline(Buffer.from(text), limits);
  while (!outline.step(step));
  return outline.result()?.toString() ?? null;
}

/** Whether `short` is `value` with less in its strings, lists and objects, by the limits. */
function isOutline(short: unknown, value: unknown): boolean {
  if (typeof value === 'string') {
    if (typeof short !== 'string' || !value.startsWith(short)) return false;
    // Escapes make a string longer than what it says.
    return Buffer.byteLength(JSON.stringify(value)) - 2 <= LIMITS.string_bytes
      ? short === value
      : Buffer.byteLength(JSON.stringify(short)) - 2 <= LIMITS.string_bytes;
  }
  if (typeof value !== 'object' || value === null) return short === value;
  if (typeof short !== 'object' || short === null) return false;
  const [all, kept] = [Object.entries(value), Object.entries(short)];
  if (kept.length !== Math.min(all.length, LIMITS.members)) return false;
  return kept.every(([, one], index) => isOutline(one, all[index]?.[1]));
}

const text = fc.string({ unit: fc.constantFrom('a', '"', '\\', 'ß', '🐝', '\n', '[', '}', ',') });
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'medium' },
    text,
    fc.string({ unit: fc.constantFrom('a', '\\', '\u0001', '🐝'), minLength: 15, maxLength: 60 }),
    fc.integer(),
    fc.constantFrom(null, true, 1.5e-7),
    fc.array(tie('tree'), { maxLength: 7 }),
    // Names that are no numbers keep their order.
    fc.array(tie('tree'), { maxLength: 7 }).map((all) => {
      return Object.fromEntries(all.map((one, index) => [`k${index}`, one]));
    }),
  ),
}));

describe('JsonOutline', () => {
  test('outline is JSON with the beginnings of all that is in the whole', () => {
    fc.assert(
      fc.property(
        tree,
        fc.constantFrom(undefined, 2),
        fc.integer({ min: 1, max: 50 }),
        (...drawn) => {
          const [value, indent, step] = drawn;
          const short = outlineOf(JSON.stringify(value, null, indent), LIMITS, step);
          expect(isOutline(JSON.parse(short as string), value)).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('outline cuts amid no escape, also of letters that are written as such', () => {
    for (let before = 0; before < 24; before += 1) {
      const begun = 'x'.repeat(before);
      const written = `["${begun}\\ud83d\\udc1d\\\\\\"${'y'.repeat(40)}"]`;
      const [said] = JSON.parse(outlineOf(written) as string) as [string];
      expect(`${begun}🐝\\"${'y'.repeat(40)}`.startsWith(said)).toBe(true);
    }
  });

  test('outline of what is no JSON is none, or no JSON either', () => {
    for (const broken of ['{"a":[1,2', '{"a":"b', ']', '[[]', '{"a":1}}']) {
      expect(outlineOf(broken)).toBeNull();
    }
    expect(outlineOf(Buffer.from([0x22, 0xff, 0x22]))).toBeNull();
    expect(outlineOf('['.repeat(65) + ']'.repeat(65))).toBe('deep');
    expect(outlineOf('{"a":nonsense}')).toBe('{"a":nonsense}');
    fc.assert(
      fc.property(fc.string(), (noise) => {
        const short = outlineOf(noise);
        if (short !== null && short.length === noise.length) expect(short).toBe(noise);
      }),
    );
  });

  test('outline of an answer keeps all of what is short, and says so in small', () => {
    const usage = { prompt_tokens: 1, completion_tokens: 2 };
    const data = Array.from({ length: 300 }, () => ({ embedding: Array(1536).fill(0.123456) }));
    const whole = JSON.stringify({ data, model: 'm', text: 'y'.repeat(1_000_000), usage });
    const outline = new JsonOutline(Buffer.from(whole));
    while (!outline.step(100_000));
    const short = outline.result()?.toString() ?? '';
    expect(JSON.parse(short)).toMatchObject({ model: 'm', usage });
    expect(short.length).toBeLessThan(whole.length / 5);
  });
});
