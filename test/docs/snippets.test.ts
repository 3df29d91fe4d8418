import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { checkPolicies } from '../../src/config/check.ts';
import { readEnvironment } from '../../src/config/env.ts';
import { gates } from '../../src/oracle/gates/index.ts';
import { plugins } from '../../src/plugins/index.ts';
import { providers } from '../../src/providers/index.ts';

type Tree = Record<string, unknown>;

/** Each block of YAML in the docs, with the line that it begins at. */
const SNIPPETS = globSync(['*.md', 'docs/**/*.md']).flatMap((page) => {
  const text = readFileSync(page, 'utf8');
  return [...text.matchAll(/^```yaml\n(.*?)^```/gms)].map(({ 1: yaml = '', index }) => {
    return { at: `${page}:${text.slice(0, index).split('\n').length}`, yaml };
  });
});

const ENVIRONMENT = readEnvironment({
  OPENAI_API_KEY: 'a',
  ANTHROPIC_API_KEY: 'b',
  CI_KEY_SHA256: '0'.repeat(64),
});

/** What is wrong with the shipped policies where a reader has put the snippet into its file. */
function problemsWith(yaml: string): string | null {
  const root = mkdtempSync(join(tmpdir(), 'hive-snippet-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  cpSync('models', join(root, 'models'), { recursive: true });
  const dir = join(root, 'policies');
  cpSync('policies', dir, { recursive: true });
  putInto(dir, parse(yaml) as Tree);
  const names = [...gates.keys()];
  const { ok, text } = checkPolicies({
    dir,
    environment: ENVIRONMENT,
    providers,
    plugins,
    gates: names,
  });
  return ok ? null : text;
}

function putInto(dir: string, snippet: Tree): void {
  const file = 'prompts/support.tone.yaml';
  const prompt = read(dir, file);
  if ('versions' in snippet) {
    write(dir, file, { ...prompt, ...snippet });
  } else if ('vars' in snippet) {
    const text = Object.keys(snippet.vars as Tree).map((name) => `{{${name}}}`);
    const version = { ops: [{ op: 'user.suffix', text: text.join() }], ...snippet };
    const versions = { ...(prompt.versions as Tree), 9: version };
    write(dir, file, { ...prompt, versions });
  } else {
    putKeys(dir, snippet);
  }
}

/** Maps are added to what the file has, everything else stands in its place. */
function putKeys(dir: string, snippet: Tree): void {
  for (const [key, value] of Object.entries(snippet)) {
    const home = key === 'follow_ups' ? 'oracle_policies.yaml' : 'gateway.yaml';
    const merged = read(dir, home);
    const both = isMap(value) && isMap(merged[key]);
    merged[key] = both ? { ...(merged[key] as Tree), ...(value as Tree) } : value;
    write(dir, home, merged);
  }
}

const read = (dir: string, file: string): Tree =>
  parse(readFileSync(join(dir, file), 'utf8')) as Tree;
const write = (dir: string, file: string, tree: Tree): void =>
  writeFileSync(join(dir, file), stringify(tree));
const isMap = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

describe('a snippet of YAML in the docs', () => {
  test('there are some, and a wrong one is refused', () => {
    expect(SNIPPETS.length).toBeGreaterThan(6);
    expect(problemsWith('expriments: {}')).toContain('did you mean experiments?');
  });

  test.each(SNIPPETS)('the snippet at $at loads with the shipped policies', ({ yaml }) => {
    expect(problemsWith(yaml)).toBeNull();
  });
});
