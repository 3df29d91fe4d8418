import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Notes } from '../../../src/core/translate/notes.ts';
import { ToolNames } from '../../../src/core/translate/tool-names.ts';

const LONG = `mcp__warehouse__${'look_up_'.repeat(13)}item`;

test('ToolNames sends what is taken as it is, and notes nothing', () => {
  const [names, notes] = [new ToolNames(), new Notes()];
  for (const name of ['f', 'get-weather_2', 'x'.repeat(64), '']) {
    expect(names.sent(name, notes)).toBe(name);
  }
  expect(names.sent(undefined, notes)).toBe('');
  expect([names.originals, notes.list]).toEqual([null, []]);
});

test('ToolNames shortens the same name to the same one in every request, and tells of it', () => {
  const [names, notes] = [new ToolNames(), new Notes()];
  const sent = names.sent(LONG, notes);
  expect(sent).toBe(new ToolNames().sent(LONG, new Notes()));
  expect(sent).toMatch(/^mcp__warehouse__look_up_[\w-]*_[0-9a-f]{10}$/);
  expect(sent).toHaveLength(64);
  expect(names.originals).toEqual(new Map([[sent, LONG]]));
  expect(notes.list.map(({ subject }) => subject)).toEqual(['tools.name']);
});

test('ToolNames gives every name back, and keeps names apart that begin alike', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ minLength: 1, maxLength: 130 })), (all) => {
      const [names, notes] = [new ToolNames(), new Notes()];
      const alike = [...all, ...all.map((name) => `${LONG}${name}`)];
      const sent = alike.map((name) => names.sent(name, notes));
      for (const one of sent) expect(one).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
      expect(sent.map((one) => names.originals?.get(one) ?? one)).toEqual(alike);
    }),
    { numRuns: 200, seed: 5 },
  );
});
