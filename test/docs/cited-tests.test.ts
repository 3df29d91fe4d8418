import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/**
 * Tables of the docs that say which test holds what: `path`: “words of its name”, “of another”. A
 * test that is renamed, or taken out, is missed here.
 */
const DOCS = ['docs/oracle.md', 'docs/signals.md', 'docs/threats.md'];
const CITED = /`([a-z0-9/-]+)`: ((?:“[^”]+”(?:, )?)+)/g;

function citedIn(doc: string): readonly (readonly [path: string, words: string])[] {
  const rows = readFileSync(doc, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('|'));
  return rows.flatMap((row) =>
    [...row.matchAll(CITED)].flatMap(([, path = '', quotes = '']) =>
      [...quotes.matchAll(/“([^”]+)”/g)].map(([, words = '']) => [path, words] as const),
    ),
  );
}

/** The names of a file's tests and suites. */
function namesIn(path: string): string {
  const text = readFileSync(`test/${path}.test.ts`, 'utf8');
  const names = [...text.matchAll(/(?:\b(?:test|describe)|\))\(\s*'([^']*)'/g)];
  return names.map(([, name]) => name).join('\n');
}

test.each(DOCS)('%s names tests that exist', (doc) => {
  const cited = citedIn(doc);
  expect(cited.length).toBeGreaterThan(15);
  const missing = cited.filter(([path, words]) => !namesIn(path).includes(words));
  expect(missing).toEqual([]);
});
