import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import * as rules from './tidy/rules.ts';
import { listFiles, readSources } from './tidy/sources.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const sources = readSources(ROOT);
const files = listFiles(ROOT);
const textOf = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Fails with every breach named, so that one run shows all there is to mend. */
function expectNone(breaches: readonly string[]): void {
  expect([...new Set(breaches)].sort().join('\n')).toBe('');
}

describe('the tree', () => {
  test('tree was read: its folders and contracts are there', () => {
    const paths = sources.map(({ path }) => path);
    expect(paths).toContain('src/core/definition.ts');
    expect(paths).toContain('test/tidy.test.ts');
    expect(files).toContain('package.json');
  });

  test('tree keeps the import table of the design', () => {
    expectNone(rules.importTable(sources));
  });

  test('tree has no import cycle, types included', () => {
    expectNone(rules.cycles(sources));
  });

  test('tree keeps files, functions and lines short', () => {
    const scripts = files.filter((path) => /\.(mjs|js|sh)$|^\.ci\//.test(path));
    expectNone([
      ...rules.sizes(sources),
      ...scripts.flatMap((path) => rules.columns(path, textOf(path))),
    ]);
  });

  test('tree has no any, default export, module state, import side effect or base class', () => {
    expectNone(rules.language(sources));
  });

  test('tree names files in kebab-case and no folder after nothing', () => {
    expectNone(rules.names(files));
  });

  test('tree says nothing of later work, of machines or of registries', () => {
    const texts = files.filter((path) => !/\.(gguf|png|jpg|ico|woff2)$/.test(path));
    expectNone(texts.flatMap((path) => rules.unsaid(path, textOf(path))));
  });
});

describe('the leaves', () => {
  test('leaf is one file, one test and one line in index.ts', () => {
    expectNone(rules.leaves(sources));
  });

  test.each(rules.LEAVES)('leaf of %s exports a definition of its own name', async (folder) => {
    const leaves = sources
      .map(({ path }) => path)
      .filter((path) => path.startsWith(`${folder}/`) && !path.endsWith('/index.ts'));
    const found = await Promise.all(
      leaves.map(async (path) => {
        const module = (await import(join(ROOT, path))) as { definition?: { name?: string } };
        return `${folder}/${module.definition?.name}.ts`;
      }),
    );
    expect(found).toEqual(leaves);
    expect(leaves).not.toEqual([]);
  });
});

describe('the tests', () => {
  test('every file with anything to run has a test', () => {
    expectNone(rules.tested(sources));
  });

  test('tests neither sleep nor mock nor leave others out', () => {
    expectNone(rules.honestTests(sources));
  });
});
