import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openClockFile } from '../../src/config/clock-file.ts';
import { controlPath, readControl, writeControl } from '../../src/config/control.ts';
import { writeDurably } from '../../src/config/durable.ts';
import { readLastGood, writeLastGood } from '../../src/config/last-good.ts';
import type { Log } from '../../src/core/log.ts';
import { EMPTY_CONTROL, type State } from '../../src/core/state.ts';
import { adapterRow, makeFolder, thrownBy } from './world.ts';

function listening(): Log & { readonly errors: string[] } {
  const errors: string[] = [];
  return { errors, info() {}, warn() {}, error: (message) => void errors.push(message) };
}

describe('writeDurably', () => {
  test('replaces the file whole, for its owner alone, and leaves nothing beside it', () => {
    const folder = makeFolder({});
    const path = join(folder, 'deep', 'a.json');
    writeDurably(path, 'a long first text');
    writeDurably(path, 'second');
    expect(readFileSync(path, 'utf8')).toBe('second');
    expect(readdirSync(join(folder, 'deep'))).toEqual(['a.json']);
    expect(statSync(path).mode & 0o077).toBe(0);
  });

  test('leaves the old file where the new one cannot be written', () => {
    const folder = makeFolder({ 'a.json/inner': '' });
    expect(() => writeDurably(join(folder, 'a.json'), 'x')).toThrow();
    expect(readdirSync(folder)).toEqual(['a.json']);
  });
});

describe('openClockFile', () => {
  test('keeps the first start’s origin for ever', () => {
    const data = makeFolder({});
    const first = openClockFile(data, 60, 1_000_000.4);
    expect(first).toEqual({ origin_ms: 1_000_000, scale: 60 });
    expect(openClockFile(data, 60, 2_000_000)).toEqual(first);
  });

  test('refuses another scale on the same data, and says which it was', () => {
    const data = makeFolder({});
    openClockFile(data, 60, 1);
    expect(thrownBy(() => openClockFile(data, 1, 2)).message).toMatch(
      /HIVE_TIME_SCALE is 1, but .* was begun with 60: set HIVE_TIME_SCALE=60/,
    );
  });

  test('refuses a damaged file instead of starting time anew', () => {
    const data = makeFolder({ 'clock.json': '{"origin' });
    expect(thrownBy(() => openClockFile(data, 1, 2)).message).toMatch(/clock.json cannot be read/);
  });
});

describe('readControl', () => {
  test('reads what was written, and nothing where there is none', () => {
    const data = makeFolder({});
    expect(readControl(data)).toEqual(EMPTY_CONTROL);
    writeControl(data, { frozen: true, withdrawn: ['rollback_1'] });
    expect(readControl(data)).toEqual({ frozen: true, withdrawn: ['rollback_1'] });
  });

  test.each(['', '{}', '{"frozen":"yes","withdrawn":[]}'])('refuses to guess at %j', (text) => {
    const data = makeFolder({ 'control.json': text });
    expect(thrownBy(() => readControl(data)).message).toContain(
      `${controlPath(data)} cannot be read: mend it`,
    );
  });
});

describe('readLastGood', () => {
  const state: State = {
    epoch: 3,
    rows: [adapterRow()],
    experiments: [{ id: 'exp_1', agent: 'helper', row: 'mut_2', state: 'canary', epoch: 1 }],
    content: { abc: { ops: [{ op: 'system.append', text: 'Hi.' }] } },
  };

  test('reads what was written, and nothing where there is none', () => {
    const data = makeFolder({});
    const log = listening();
    expect(readLastGood(data, log)).toBeNull();
    writeLastGood(data, { state, source_sha256: 'abc' });
    expect(readLastGood(data, log)).toEqual({ state, source_sha256: 'abc' });
    const ab = [{ id: 'tone@1', state: 'stopped', epoch: 2, dropped: ['warm'] }] as const;
    writeLastGood(data, { state: { ...state, ab }, source_sha256: 'abc' });
    expect(readLastGood(data, log)?.state.ab).toEqual(ab);
    expect(log.errors).toEqual([]);
  });

  test('reads prompts of every kind back as they were written', () => {
    const data = makeFolder({});
    const log = listening();
    const content: State['content'] = {
      abc: {
        match: { models: ['gpt-*'], endpoints: ['chat.completions'] },
        ops: [
          { op: 'system.prepend', text: 'First {{team}}.', zone: 'stable' },
          { op: 'replace', target: 'system', anchor: 'short', expect: 2, text: '' },
          {
            op: 'fewshot.insert',
            at: 'after-system',
            messages: [
              { role: 'user', content: 'a' },
              { role: 'assistant', content: 'b' },
            ],
          },
          { op: 'user.suffix', text: 'Last.', zone: 'volatile' },
        ],
        vars: { team: { from: 'header:x-team', max: 20 } },
        limits: { tokens_added_max: 100 },
        author: 'oracle',
        note: 'why',
      },
    };
    writeLastGood(data, { state: { ...state, content }, source_sha256: 'abc' });
    expect(readLastGood(data, log)?.state.content).toEqual(content);
    expect(log.errors).toEqual([]);
  });

  test('reports a file that is cut, changed or foreign, and takes it for absent', () => {
    const data = makeFolder({});
    const path = join(data, 'last-good.json');
    writeLastGood(data, { state, source_sha256: 'abc' });
    const text = readFileSync(path, 'utf8');
    const damaged = [
      text.slice(0, -20),
      text.replace('"upper"', '"lower"'),
      text.replace('"v":1', '"v":2'),
      '',
      '[]',
    ];
    for (const each of damaged) {
      writeFileSync(path, each);
      const log = listening();
      expect(readLastGood(data, log)).toBeNull();
      expect(log.errors).toHaveLength(1);
    }
  });
});
