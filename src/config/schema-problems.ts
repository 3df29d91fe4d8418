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

/**
 * Every reason why `data` does not fit the schema, in the words of someone who edits YAML. `beside`
 * are keys that the file has next to the data's own: a misspelled one may have been meant for them.
 */
export function schemaProblems(
  schema: ZodType,
  data: unknown,
  beside: readonly string[] = [],
): readonly DataProblem[] {
  const parsed = schema.safeParse(data);
  if (parsed.success) return [];
  const at: Place = { schema, data, beside };
  return parsed.error.issues.flatMap((issue) => problemsOfIssue(at, issue, []));
}

interface Place {
  readonly schema: ZodType;
  readonly data: unknown;
  readonly beside: readonly string[];
}

function problemsOfIssue(
  at: Place,
  issue: Issue,
  above: readonly (string | number)[],
): readonly DataProblem[] {
  const path = [...above, ...issue.path.map((token) => (typeof token === 'symbol' ? '' : token))];
  if (issue.code === 'unrecognized_keys') {
    const known = [...knownKeys(at.schema, path), ...(path.length === 0 ? at.beside : [])];
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
    return unionProblems(at, issue.errors, path);
  }
  if (dataAt(at.data, path) === undefined) {
    return [{ path, message: `missing${expectedBy(issue)}`, key: false }];
  }
  return [{ path, message: plain(issue.message), key: false }];
}

/** Of a union, the branch that the writer meant is the one that fits at its root. */
function unionProblems(
  at: Place,
  branches: readonly (readonly Issue[])[],
  path: readonly (string | number)[],
): readonly DataProblem[] {
  const meant = branches.find((issues) => !issues.some(isOfRoot));
  if (meant) return meant.flatMap((issue) => problemsOfIssue(at, issue, path));
  const missing = dataAt(at.data, path) === undefined;
  const words = `expected ${branches.map((issues) => wantedBy(issues[0])).join(' or ')}`;
  return [{ path, message: missing ? `missing: ${words}` : words, key: false }];
}

/** A value of another kind, or another word than those of a list. */
function isOfRoot({ code, path }: Issue): boolean {
  return path.length === 0 && (code === 'invalid_type' || code === 'invalid_value');
}

function wantedBy(first: Issue | undefined): string {
  if (first?.code === 'invalid_type') return expectedWord(first.expected);
  return first?.code === 'invalid_value' ? first.values.map(String).join(', ') : 'another value';
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
      for (const key of Object.values(definitionOf(def.keyType)?.entries ?? {})) found.add(key);
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
  readonly keyType?: unknown;
  /** Of an enum: its words, by name. */
  readonly entries?: Readonly<Record<string, string>>;
  readonly valueType?: unknown;
  readonly element?: unknown;
}

function definitionOf(schema: unknown): SchemaDefinition | null {
  if (schema === null || typeof schema !== 'object' || !('_zod' in schema)) return null;
  return (schema as { _zod: { def: SchemaDefinition } })._zod.def;
}
