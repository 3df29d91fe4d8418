import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { digestOf } from '../core/canonical.ts';
import { GatewayError } from '../core/errors.ts';
import type { PluginRegistry } from '../core/plugin.ts';
import type { Policy } from '../core/policy.ts';
import type { ProviderRegistry } from '../core/provider.ts';
import { repeatedCategories } from './category-problems.ts';
import type { Environment } from './env.ts';
import { experimentNotices } from './experiment-problems.ts';
import { createFileDigests, digestProviderFiles, type FileDigests } from './file-digests.ts';
import { normalize, type ParsedFiles } from './normalize.ts';
import { dotted, locate, originsOf, type Sources } from './origins.ts';
import { applyOverrides } from './overrides.ts';
import { hashFiles } from './policy-files.ts';
import { absentProviders } from './presence.ts';
import { readFiles } from './read-files.ts';
import type { PolicyProblem } from './references.ts';
import { type Known, policyProblems } from './semantics.ts';
import type { LoadedPolicy } from './snapshot.ts';
import type { Position, Problem, YamlFile } from './yaml-file.ts';

export interface LoadInput {
  readonly dir: string;
  readonly environment: Environment;
  readonly providers: ProviderRegistry;
  readonly plugins: PluginRegistry;
  /** Names of the gates; unchecked where a process has none. */
  readonly gates?: readonly string[];
  /** Lets a process that loads again and again hash a model once. */
  readonly digests?: FileDigests;
}

/** A policy that does not load: its details hold every problem, its message one line for each. */
export type PolicyError = GatewayError & {
  readonly details: { readonly problems: readonly Problem[] };
};

/**
 * Reads the policy files into one policy. Everything that is wrong is said at once, with file, line
 * and column; then nothing of the files is used.
 */
export function loadPolicy(input: LoadInput): LoadedPolicy {
  const { dir, environment } = input;
  if (!existsSync(dir)) {
    throw policyError([problem(dir, 'the policies directory does not exist: see HIVE_POLICIES')]);
  }
  const reading = readFiles(dir, environment, input.providers);
  const problems = [...reading.problems];
  const parsed = reading.parsed && assemble(input, reading.parsed, reading.sources);
  if (parsed) {
    // A key that was set aside to go on reading must not be reported twice.
    const news = parsed.problems.filter((one) => !problems.some((known) => covers(known, one)));
    problems.push(...news);
  }
  if (problems.length > 0 || !parsed) throw policyError(problems);
  const { policy, contents, places } = parsed;
  const overridden = applyOverrides(policy, environment.overrides, (pointer) =>
    locate(pointer, places, reading.sources),
  );
  const { overrides, switches } = environment;
  return {
    policy: overridden.policy,
    contents,
    source_sha256: digestOf({
      files: hashFiles(dir),
      digests: policy.files,
      expanded: reading.expanded.map(({ name, data }) => [name, digestOf(data)]),
      overrides,
      switches,
    }),
    notices: [...reading.notices, ...absenceNotices(policy, input), ...overridden.notices],
    origins: originsOf(overridden.policy, places, reading.sources, environment, overridden.applied),
  };
}

/** Normalises what was parsed, and checks what its names refer to. */
function assemble(input: LoadInput, files: ParsedFiles, sources: Sources) {
  const { environment } = input;
  const known: Known = {
    providers: input.providers,
    plugins: input.plugins,
    gates: input.gates,
    host: environment.host,
  };
  const first = normalize(files, environment.switches, {});
  const root = dirname(resolve(input.dir));
  const digests = input.digests ?? createFileDigests();
  const named = digestProviderFiles(first.policy, known, root, digests);
  const policy: Policy = { ...first.policy, files: named.files };
  const found: readonly PolicyProblem[] = [
    ...policyProblems(policy, known),
    ...named.problems,
    ...repeatedPlugins(files),
    ...repeatedKeys(files),
    ...repeatedCategories((files.gateway.categories ?? []).map(({ name }) => name)),
  ];
  const problems = found.map(({ tokens, message, key, offset }): Problem => {
    const place = locate(tokens, first.places, sources);
    const position = place.file?.positionOf(place.path, key) ?? { line: 1, column: 1 };
    const { line, column } = within(place.file, position, offset);
    const path = dotted(place.path, place.file?.data);
    return { file: place.name, line, column, path, message };
  });
  return { ...first, policy, problems };
}

/** Points into a text where it stands on one line as it is; escapes and blocks are not followed. */
function within(file: YamlFile | null, start: Position, offset: number | undefined): Position {
  if (!file || offset === undefined) return start;
  const first = file.text.split('\n')[start.line - 1]?.[start.column - 1] ?? '';
  if (first === '|' || first === '>') return start;
  const quote = first === "'" || first === '"' ? 1 : 0;
  return { line: start.line, column: start.column + quote + offset };
}

function repeatedPlugins({ gateway }: ParsedFiles): readonly PolicyProblem[] {
  const ids = gateway.plugins.map(({ id, use }) => id ?? use);
  const repeated = ids.filter((id, index) => ids.indexOf(id) !== index);
  return repeated.map((id) => ({
    tokens: ['plugins', 'by', id],
    message: `two plugins have the id ${id}: give one of them another \`id\``,
  }));
}

/** One name for two keys would make one caller of two; one hash twice would hide an entry. */
function repeatedKeys({ gateway }: ParsedFiles): readonly PolicyProblem[] {
  const { keys } = gateway.access;
  return keys.flatMap(({ name, sha256 }, index) => {
    const twin = keys.slice(0, index).find((other) => {
      return other.name === name || other.sha256.toLowerCase() === sha256.toLowerCase();
    });
    if (!twin) return [];
    const message = `the keys ${twin.name} and ${name} share a name or a hash`;
    return [{ tokens: ['access', 'keys', sha256.toLowerCase()], message }];
  });
}

function absenceNotices(policy: Policy, { environment, providers }: LoadInput): readonly string[] {
  const absent = absentProviders(policy, providers, environment);
  const notices = [...absent].map(([name, variable]) => {
    const targets = Object.entries(policy.targets).filter(([, target]) => target.provider === name);
    const also = targets.map(([target]) => target).join(', ');
    const tail = also === '' ? '' : ` (and so are its targets: ${also})`;
    return `provider ${name} is absent: ${variable} is not set${tail}`;
  });
  return [...notices, ...experimentNotices(policy, (provider) => absent.has(provider))];
}

function problem(file: string, message: string): Problem {
  return { file, line: 1, column: 1, path: '', message };
}

function covers(known: Problem, other: Problem): boolean {
  if (known.file !== other.file) return false;
  const [left, right] = [known.path, other.path];
  return left === right || left.startsWith(`${right}.`) || right.startsWith(`${left}.`);
}

function policyError(problems: readonly Problem[]): GatewayError {
  const sorted = [...problems].sort(
    (left, right) =>
      left.file.localeCompare(right.file) || left.line - right.line || left.column - right.column,
  );
  const lines = sorted.map(({ file, line, column, path, message }) => {
    return `${file}:${line}:${column} ${path === '' ? '' : `${path}: `}${message}`;
  });
  return new GatewayError('policy_invalid', [...new Set(lines)].join('\n'), { problems: sorted });
}
