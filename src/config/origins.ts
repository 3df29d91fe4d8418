import type { Json } from '../core/canonical.ts';
import { formatPointer, parsePointer, touchedPointers } from '../core/pointer.ts';
import type { Policy, Switches } from '../core/policy.ts';
import { type Environment, type PolicyOverride, SWITCH_VARIABLES } from './env.ts';
import type { Expansion } from './expand.ts';
import type { Place } from './normalize.ts';
import { dataAt } from './schema-problems.ts';
import type { Path, YamlFile } from './yaml-file.ts';

/** The files that a policy was read from, and where variables were expanded in them. */
export interface Sources {
  readonly files: ReadonlyMap<string, YamlFile>;
  readonly expansions: ReadonlyMap<string, readonly Expansion[]>;
}

/** Where a part of the policy stands in the files. */
export interface Located {
  readonly name: string;
  /** Null where the whole file is absent. */
  readonly file: YamlFile | null;
  readonly path: Path;
  /** Whether it is written there, rather than a default. */
  readonly written: boolean;
}

/** The place of a policy's path: that of the longest part of it that the files have. */
export function locate(
  tokens: readonly string[],
  places: readonly Place[],
  { files }: Sources,
): Located {
  const above = places
    .filter((place) => place.tokens.every((token, index) => token === tokens[index]))
    .sort((left, right) => right.tokens.length - left.tokens.length)[0];
  const name = above?.file ?? 'gateway.yaml';
  const file = files.get(name) ?? null;
  const path = above ? [...above.path, ...tokens.slice(above.tokens.length)] : [...tokens];
  return { name, file, path, written: file !== null && isWritten(file, path) };
}

/** A list of targets is written, though the weights that it stands for are not. */
function isWritten(file: YamlFile, path: Path): boolean {
  if (file.has(path)) return true;
  const above = path.slice(0, -1);
  return file.has(above) && Array.isArray(dataAt(file.data, above));
}

/** For every value of the policy, what `hive check --explain` says of where it came from. */
export function originsOf(
  policy: Policy,
  places: readonly Place[],
  sources: Sources,
  environment: Environment,
  applied: readonly PolicyOverride[],
): ReadonlyMap<string, string> {
  const origins = new Map<string, string>();
  for (const pointer of touchedPointers(policy as unknown as Json)) {
    const tokens = parsePointer(pointer);
    origins.set(
      pointer,
      ofVariable(pointer, applied) ?? ofSwitch(tokens) ?? ofFile(tokens, places, sources),
    );
  }
  return origins;

  function ofSwitch([root, name]: readonly string[]): string | null {
    if (root === 'files') return 'sha256 of the file';
    if (root !== 'switches' || name === undefined) return null;
    const variable = SWITCH_VARIABLES[name as keyof Switches];
    const value = environment.variables[variable];
    return value === undefined ? 'default' : `${variable}=${value}`;
  }
}

function ofVariable(pointer: string, applied: readonly PolicyOverride[]): string | null {
  const found = applied.find((one) => one.pointer === pointer);
  return found ? `${found.variable}=${found.value}` : null;
}

function ofFile(tokens: readonly string[], places: readonly Place[], sources: Sources): string {
  const { name, file, path, written } = locate(tokens, places, sources);
  if (!file || !written) return 'default';
  const { line, column } = file.positionOf(path);
  const key = formatPointer(path.map(String));
  const expansion = sources.expansions
    .get(name)
    ?.find((one) => formatPointer(one.path.map(String)) === key);
  return `${name}:${line}:${column}${expansion ? ` (${expansion.text})` : ''}`;
}

/** A path as a reader says it: an entry of a list is called by its id, name or use. */
export function dotted(path: Path, data: unknown): string {
  return path
    .map((token, index) => {
      const above = dataAt(data, path.slice(0, index));
      if (!Array.isArray(above)) return String(token);
      const entry: unknown = above[Number(token)];
      return nameOf(entry) ?? String(token);
    })
    .join('.');
}

function nameOf(entry: unknown): string | null {
  for (const key of ['id', 'name', 'use']) {
    const value = dataAt(entry, [key]);
    if (typeof value === 'string') return value;
  }
  return null;
}
