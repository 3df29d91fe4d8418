import type { PromptVariable } from './version.ts';

/** Where a variable's value may come from, by the name in `from`. */
export interface VariableSource {
  header(name: string): string | null;
  readonly agent: string;
  readonly model: string;
  /** Policy milliseconds. */
  readonly at_ms: number;
}

export type Values = Readonly<Record<string, string>>;

/**
 * A value without an enum is one word: letters, digits and a few signs. A sentence has blanks and
 * markup has brackets, so neither becomes part of a prompt on this way.
 */
const WORD = /^[\p{L}\p{N}._@:+-]+$/u;
const CHARACTERS_MAX = 64;

/** The value of each variable, or null where one has neither a value that counts nor a default. */
export function readVariables(
  vars: Readonly<Record<string, PromptVariable>>,
  source: VariableSource,
): Values | null {
  const values: Record<string, string> = {};
  for (const [name, variable] of Object.entries(vars)) {
    const given = valueFrom(variable.from, source);
    const value = given !== null && counts(given, variable) ? given : variable.default;
    if (value === undefined) return null;
    values[name] = value;
  }
  return values;
}

function counts(value: string, variable: PromptVariable): boolean {
  if (variable.enum) return variable.enum.includes(value);
  const length = Array.from(value).length;
  return length <= (variable.max ?? CHARACTERS_MAX) && WORD.test(value);
}

function valueFrom(from: string, source: VariableSource): string | null {
  if (from.startsWith('header:')) return source.header(from.slice('header:'.length));
  if (from === 'call:agent') return source.agent;
  if (from === 'call:model') return source.model;
  if (from === 'call:date') return new Date(source.at_ms).toISOString().slice(0, 10);
  return null;
}

const REFERENCE = /\{\{\s*([a-z0-9_]+)\s*\}\}/g;

/** The names of the variables that a text refers to. */
export function referencesIn(text: string): readonly string[] {
  return [...text.matchAll(REFERENCE)].map(([, name]) => name as string);
}

/** One pass: what a value holds is never looked at again. */
export function render(text: string, values: Values): string {
  return text.replace(REFERENCE, (whole, name: string) => values[name] ?? whole);
}
