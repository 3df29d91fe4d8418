import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { cyclesAmong } from './cycles.ts';
import * as rules from './rules.ts';
import { readSources } from './sources.ts';

// The rules are tried on a small tree that breaks each of them: a blind rule is no rule.
const BROKEN = {
  'src/core/pure.ts': `import { z } from 'zod';
import hono from 'hono';
import { late } from '../gateway/late.ts';
export const pure = [z, hono, late];`,
  'src/gateway/late.ts': `export const late = 1;
let counter = 0;
const cache = new Map<string, number>();
const names: ReadonlySet<string> = new Set(['a']);
const app = createApp();
console.log(counter, cache, names, app);
function createApp(): unknown { return import('../store/rows.ts'); }`,
  'src/store/rows.ts': `import type { Loop } from './loop.ts';
export interface Rows { readonly loop: Loop; readonly bad: any }`,
  'src/store/loop.ts': `import type { Rows } from './rows.ts';
export interface Loop { readonly rows: Rows }`,
  'src/plugins/alpha.ts': `import { beta } from './beta.ts';
import { readFileSync } from 'node:fs';
export const definition = { name: 'alpha', beta, readFileSync };`,
  'src/plugins/beta.ts': `export const beta = 1;
class Base {}
export class Derived extends Base {}
export class Fine extends Error {}`,
  'src/plugins/index.ts': `export * from './alpha.ts';`,
  'src/odd/place.ts': 'export default 1;',
  'test/plugins/alpha.test.ts': `import { describe, test, vi } from 'vitest';
import { setTimeout } from 'node:timers/promises';
describe('long', () => {
${'  test;\n'.repeat(80)}});
test.${'only'}('x', async () => { vi.${'fn'}(); await setTimeout(1); });`,
  'test/long.ts': `export function long(): void {
${'  //\n'.repeat(69)}}
// ${'x'.repeat(98)}`,
};

const root = mkdtempSync(join(tmpdir(), 'hive-tidy-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
for (const [path, text] of Object.entries(BROKEN)) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
const compilerOptions = { module: 'nodenext', allowImportingTsExtensions: true, noEmit: true };
writeFileSync(
  join(root, 'tsconfig.json'),
  JSON.stringify({ compilerOptions, include: ['src', 'test'] }),
);
const sources = readSources(root);

describe('the rules', () => {
  test('importTable names forbidden folders, packages, siblings and unknown places', () => {
    expect(rules.importTable(sources).sort()).toEqual([
      'src/core/pure.ts:2 core may not import the package hono',
      'src/core/pure.ts:3 core may not import gateway (src/gateway/late.ts)',
      'src/gateway/late.ts:7 gateway may not import store (src/store/rows.ts)',
      'src/odd/place.ts is in no folder of the import table',
      'src/plugins/alpha.ts:1 a leaf may not import its sibling src/plugins/beta.ts',
      'src/plugins/alpha.ts:2 a leaf may not import node:fs: its host lends what it needs',
    ]);
  });

  test('cycles sees a cycle of types', () => {
    expect(rules.cycles(sources)).toEqual([
      'import cycle: src/store/loop.ts → src/store/rows.ts → src/store/loop.ts',
    ]);
  });

  test('cyclesAmong finds each knot once and the shortest way round it', () => {
    const graph = new Map([
      ['a', ['b', 'c']],
      ['b', ['c']],
      ['c', ['a']],
      ['d', ['d', 'a']],
      ['e', ['a', 'gone']],
    ]);
    expect(cyclesAmong(graph)).toEqual([['a', 'c'], ['d']]);
  });

  test('sizes counts functions and columns, and lets describe hold tests', () => {
    expect(rules.sizes(sources)).toEqual([
      'test/long.ts:1 long has 71 lines',
      'test/long.ts:72 has 101 columns',
    ]);
    const many = { path: 'src/x.ts', text: '\n'.repeat(301), functions: [] } as never;
    expect(rules.sizes([many])).toEqual(['src/x.ts has 301 lines']);
  });

  test('language sees any, default exports, module state, side effects and base classes', () => {
    expect(rules.language(sources).sort()).toEqual([
      'src/gateway/late.ts:2 state at module level: let or var at module level',
      'src/gateway/late.ts:3 state at module level: cache = new Map<string, number>()',
      'src/gateway/late.ts:5 state at module level: app = createApp()',
      'src/gateway/late.ts:6 runs when it is imported: console.log(counter, cache, names, app);',
      'src/odd/place.ts:1 default export: export default 1;',
      'src/plugins/beta.ts:3 a base class: export class Derived extends Base {}',
      'src/store/rows.ts:2 the type of everything: any',
    ]);
  });

  test('names sees other cases and folders named after nothing', () => {
    expect(
      rules.names(['src/core/camelCase.ts', 'src/utils/x.ts', 'README.md', 'src/a/b-c.test.ts']),
    ).toEqual([
      'src/core/camelCase.ts is not in kebab-case',
      'src/utils/x.ts: no folder is named utils',
    ]);
  });

  test('leaves asks for a test, a line in index.ts and an index', () => {
    const breaches = rules.leaves(sources);
    expect(breaches).toContain('src/plugins/beta.ts has no test test/plugins/beta.test.ts');
    expect(breaches).toContain('src/plugins/beta.ts has 0 lines in src/plugins/index.ts');
    expect(breaches).toContain('src/oracle/gates/index.ts is missing');
    expect(breaches.join()).not.toContain('alpha');
  });

  test('tested asks for a test of a file or of the one that it is a part of', () => {
    const breaches = rules.tested(sources);
    expect(breaches).toEqual(['src/gateway/late.ts has no test']);
    const part = { path: 'src/gateway/part.ts', functions: [{}], imports: [] as object[] };
    const whole = {
      ...part,
      path: 'src/gateway/whole.ts',
      imports: [{ file: part.path, types_only: false }],
    };
    const its = { ...part, path: 'test/gateway/whole.test.ts' };
    expect(rules.tested([part, whole, its] as never)).toEqual([]);
    expect(rules.tested([part, whole] as never)).toHaveLength(2);
  });

  test('honestTests sees sleeps, mocks and only', () => {
    expect(rules.honestTests(sources)).toHaveLength(3);
  });

  test.each([
    ['later', `// TO${'DO'} tidy up`],
    ['a home', 'see /home/' + 'ann/notes'],
    ['a registry', 'https://registry.' + 'npmjs.org/x'],
    ['a download', '"resolved' + '": "https://x"'],
  ])('unsaid sees %s', (_name, line) => {
    expect(rules.unsaid('a.md', `fine\n${line}`)).toHaveLength(1);
    expect(rules.unsaid('a.md', 'the worker, /api/v1/work/ and home/ann are fine')).toEqual([]);
  });
});
