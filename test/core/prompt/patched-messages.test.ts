import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json, JsonObject } from '../../../src/core/canonical.ts';
import { applyPatch } from '../../../src/core/prompt/apply.ts';
import { compilePatch } from '../../../src/core/prompt/compile.ts';
import { PatchedMessages } from '../../../src/core/prompt/patched-messages.ts';

test('PatchedMessages finds what was made of an equal message, and of no other', () => {
  const kept = new PatchedMessages();
  const patched = { role: 'system', content: 'A shop.\n\nBe brief.' };
  kept.keep({ role: 'system', content: 'A shop.' }, patched);
  expect(kept.find({ role: 'system', content: 'A shop.' })).toBe(patched);
  expect(kept.find({ content: 'A shop.', role: 'system' })).toBe(patched);
  expect(kept.find({ role: 'developer', content: 'A shop.' })).toBeNull();
  expect(kept.find({ role: 'system', content: 'A shop' })).toBeNull();
  expect(kept.find({ role: 'system', content: 'A shop.', name: 'x' })).toBeNull();
  expect(kept.find(undefined)).toBeNull();
});

test('PatchedMessages keeps only messages that are a role and a text', () => {
  const kept = new PatchedMessages();
  const named: JsonObject = { role: 'system', content: 'a', name: 'x' };
  const listed: JsonObject = { role: 'system', content: ['a'] };
  for (const message of [named, listed]) {
    kept.keep(message, { ...message, role: 'changed' });
    expect(kept.find(message)).toBeNull();
  }
});

test('applyPatch makes the same of a body whatever it has seen before', () => {
  const text = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'tail', 'a\n\ntail', '');
  const message = fc.oneof(
    fc.record({ role: fc.constantFrom('system', 'developer', 'user'), content: text }),
    fc.record({ role: fc.constant('system'), content: text, name: text }),
    fc.record({ role: fc.constant('system'), content: fc.constant([{ type: 'text', text: 'a' }]) }),
  );
  const body = fc
    .array(message, { minLength: 1, maxLength: 3 })
    .map((messages): JsonObject => ({ messages: messages as Json }));
  const ops = [
    { op: 'system.append', text: 'tail' },
    { op: 'system.prepend', text: 'head' },
  ] as const;
  fc.assert(
    fc.property(fc.array(body, { maxLength: 12 }), (bodies) => {
      const patch = compilePatch({ ops });
      for (const one of bodies) {
        const alone = applyPatch('chat.completions', one, compilePatch({ ops }));
        expect(applyPatch('chat.completions', one, patch)).toEqual(alone);
      }
    }),
    { numRuns: 500, seed: 31 },
  );
});
