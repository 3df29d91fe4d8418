import type { ZodType, z } from 'zod';
import { didYouMean } from './suggest.ts';

/** A wrong value in plain data: where, and what is wrong with it. */
export interface DataProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** Whether the key itself is at fault, rather than its value. */
  readonly key: boolean;
}

type Issue = z.core.$ZodIssue;

/** Every reason why `data` does not fit the schema, in the words of someone who edits YAML. */
export function schemaProblems(schema: ZodType, data: unknown): readonly DataProblem[] {
  const parsed = schema.safeParse(data);
  if (parsed.success) return [];
  return parsed.error.issues.flatMap((issue) => problemsOfIssue(schema, data, issue, []));
}

function problemsOfIssue(
  schema: ZodType,
  data: unknown,
  issue: Issue,
  above: readonly (string | number)[],
): readonly DataProblem[] {
  const path = [...above, ...issue.path.map((token) => (typeof token === 'symbol' ? '' : token))];
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schema, path);
    return issue.keys.map((key) => ({
      path: [...path, key],
      message: `unknown key; ${didYouMean(key, known)}`,
      key: true,
    }));
  }
  if (issue.code === 'invalid_key') {
    const message = issue.issues[0]?.message ?? issue.message;
    return [{ path, message, key: true }];
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    return unionProblems(schema, data, issue.errors, path);
  }
  if (dataAt(data, path) === undefined) {
    return [{ path, message: `missing${expectedBy(issue)}`, key: false }];
  }
  return [{ path, message: plain(issue.message), key: false }];
}

/** Of a union, the branch that the writer meant is the one that fits at its root. */
function unionProblems(
  schema: ZodType,
  data: unknown,
  branches: readonly (readonly Issue[])[],
  path: readonly (string | number)[],
): readonly DataProblem[] {
  const meant = branches.find(
    (issues) => !issues.some((issue) => issue.code === 'invalid_type' && issue.path.length === 0),
  );
  if (meant) return meant.flatMap((issue) => problemsOfIssue(schema, data, issue, path));
  const missing = dataAt(data, path) === undefined;
  const wanted = branches.map((issues) => {
    const [first] = issues;
    return first?.code === 'invalid_type' ? expectedWord(first.expected) : 'another value';
  });
  const words = `expected ${wanted.join(' or ')}`;
  return [{ path, message: missing ? `missing: ${words}` : words, key: false }];
}

function expectedBy(issue: Issue): string {
  return issue.code === 'invalid_type' ? `: expected ${expectedWord(issue.expected)}` : '';
}

function expectedWord(type: string): string {
  if (type === 'record' || type === 'object') return 'a map';
  if (type === 'array' || type === 'tuple') return 'a list';
  return `a ${type}`;
}

function plain(message: string): string {
  const words = message.replace(/^Invalid input: /, '').replace(/^Too (small|big): /, '');
  return words
    .replace(/expected (record|object)\b/, 'expected a map')
    .replace(/expected (array|tuple)\b/, 'expected a list')
    .replace(/received (record|object)\b/, 'got a map')
    .replace(/received array\b/, 'got a list')
    .replace(/received /, 'got ');
}

export function dataAt(data: unknown, path: readonly (string | number)[]): unknown {
  let value = data;
  for (const token of path) {
    if (value === null || typeof value !== 'object') return undefined;
    if (!Object.hasOwn(value, token)) return undefined;
    value = (value as Record<string | number, unknown>)[token];
  }
  return value;
}

/** The keys that a schema knows at a path: what an unknown key is compared with. */
function knownKeys(schema: ZodType, path: readonly (string | number)[]): readonly string[] {
  const found = new Set<string>();
  const visit = (at: unknown, rest: readonly (string | number)[]): void => {
    const def = definitionOf(at);
    if (!def) return;
    for (const inner of [def.innerType, def.in, ...(def.options ?? [])]) visit(inner, rest);
    const [token, ...further] = rest;
    if (token === undefined) {
      for (const key of Object.keys(def.shape ?? {})) found.add(key);
    } else if (def.shape && Object.hasOwn(def.shape, token)) {
      visit(def.shape[token], further);
    } else {
      visit(def.valueType ?? def.element, further);
    }
  };
  visit(schema, path);
  return [...found];
}

/** What of zod's own description of a schema is needed to walk it. */
interface SchemaDefinition {
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly innerType?: unknown;
  readonly in?: unknown;
  readonly options?: readonly unknown[];
  readonly valueType?: unknown;
  readonly element?: unknown;
}

function definitionOf(schema: unknown): SchemaDefinition | null {
  if (schema === null || typeof schema !== 'object' || !('_zod' in schema)) return null;
  return (schema as { _zod: { def: SchemaDefinition } })._zod.def;
}
