import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readYamlFile } from '../../src/config/yaml-file.ts';
import { makeFolder } from './world.ts';

function read(text: string) {
  const folder = makeFolder({ 'a.yaml': text });
  return readYamlFile('a.yaml', join(folder, 'a.yaml'));
}

const problemsOf = (text: string): readonly string[] =>
  read(text).problems.map(({ line, column, message }) => `${line}:${column} ${message}`);

/** Ninefold at each of twelve levels. */
const ALIASES = Array.from({ length: 13 }, (_, level) => {
  const inner = level === 0 ? 'x' : `*a${level - 1}`;
  return `a${level}: &a${level} [${Array(9).fill(inner).join(',')}]`;
}).join('\n');

describe('readYamlFile', () => {
  test('knows where keys and values stand, also through anchors and of absent ones', () => {
    const { file } = read('a: &x\n  b: [1, two]\nc: *x\n');
    expect(file?.data).toEqual({ a: { b: [1, 'two'] }, c: { b: [1, 'two'] } });
    expect(file?.positionOf(['a', 'b', 1])).toEqual({ line: 2, column: 10 });
    expect(file?.positionOf(['a', 'b'], true)).toEqual({ line: 2, column: 3 });
    expect(file?.positionOf(['c', 'b', 1])).toEqual({ line: 2, column: 10 });
    expect(file?.positionOf(['a', 'b', 7])).toEqual({ line: 2, column: 6 });
    expect(file?.has(['c', 'b', 0])).toBe(true);
    expect(file?.has(['c', 'd'])).toBe(false);
  });

  test('takes an empty file for an empty map', () => {
    expect(read('# nothing\n').file?.data).toEqual({});
  });

  test('refuses duplicate keys, broken YAML, unknown tags and several documents', () => {
    expect(problemsOf('a: 1\nb: 2\na: 3\n')).toEqual(['3:1 Map keys must be unique']);
    expect(problemsOf('a: [1, 2\nb: 3\n')[0]).toMatch(/^[12]:\d+ /);
    expect(problemsOf('a: !!js/function x\n')[0]).toMatch(/^1:4 Unresolved tag/);
    expect(problemsOf('a: 1\n---\nb: 2\n')[0]).toMatch(/multiple documents/);
  });

  test(`takes \${VAR} unquoted within a flow map, where it stands`, () => {
    const { file, problems } = read(
      `p: { k: \${KEY}, u: \${U:-http://a/b}, \${N}: "x \${Q}" } # \${C}\nq: \${R}\n`,
    );
    expect(problems).toEqual([]);
    const entries = { k: `\${KEY}`, u: `\${U:-http://a/b}` };
    expect(file?.data).toMatchObject({ p: entries, q: `\${R}` });
    expect(file?.data).toHaveProperty(['p', `\${N}`], `x \${Q}`);
    expect(file?.positionOf(['p', 'u'])).toEqual({ line: 1, column: 20 });
    expect(file?.positionOf(['p', `\${N}`], true)).toEqual({ line: 1, column: 38 });
    expect(file?.text).toContain(`{ k: \${KEY},`);
  });

  test('tells a slip of punctuation once, and what to do about it', () => {
    const problems = problemsOf('a: { b: x{y }\nc: { d: 1 }\ne: 2\ne: 3\n');
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^1:\d+ .*quote a text/);
    expect(problemsOf('a: 1\na: 2\nb: 1\nb: 2\n')).toHaveLength(2);
  });

  test('refuses a file above a megabyte, a directory and a missing file', () => {
    expect(problemsOf(`a: "${'x'.repeat(1024 * 1024)}"`)[0]).toMatch(/bytes are more than 1048576/);
    const folder = makeFolder({ 'a.yaml/b': '' });
    const [one] = readYamlFile('a.yaml', join(folder, 'a.yaml')).problems;
    expect(one?.message).toMatch(/is not a file/);
    const [two] = readYamlFile('b.yaml', join(folder, 'b.yaml')).problems;
    expect(two?.message).toMatch(/does not exist/);
  });

  test.each([
    ['aliases of aliases', ALIASES],
    ['a megabyte of brackets', '['.repeat(1024 * 1024 - 1)],
    ['a megabyte of braces', '{a: '.repeat(256 * 1024 - 1)],
    ['a megabyte of dashes', '- '.repeat(512 * 1024 - 1)],
    ['a megabyte of question marks', '? '.repeat(512 * 1024 - 1)],
    [
      'a staircase',
      Array.from({ length: 1400 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
    ],
  ])('refuses a bomb of %s within two seconds', (_name, text) => {
    const started_ms = performance.now();
    const { file, problems } = read(text);
    expect(file).toBeNull();
    expect(problems.length).toBeGreaterThan(0);
    expect(performance.now() - started_ms).toBeLessThan(2000);
  });

  test('never throws, whatever the bytes', () => {
    const folder = makeFolder({ 'a.yaml': '' });
    const path = join(folder, 'a.yaml');
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(
          fc.constantFrom(
            'a',
            ':',
            ' ',
            '\n',
            '-',
            '[',
            '{',
            '*',
            '&',
            '!',
            '|',
            '"',
            '}',
            ']',
            '?',
          ),
        )
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (content) => {
        writeFileSync(path, content);
        const { file, problems } = readYamlFile('a.yaml', path);
        expect(file === null).toBe(problems.length > 0);
      }),
    );
  });
});
