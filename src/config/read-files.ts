import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ZodType } from 'zod';
import type { ProviderRegistry } from '../core/provider.ts';
import type { Environment } from './env.ts';
import { type Expansion, expand } from './expand.ts';
import { gatewaySchema } from './gateway-schema.ts';
import type { ParsedFiles } from './normalize.ts';
import { oracleSchema } from './oracle-schema.ts';
import { dotted, type Sources } from './origins.ts';
import { pipelineSchema } from './pipeline-schema.ts';
import { MAIN_FILES, promptFiles, strayFiles } from './policy-files.ts';
import { type PromptFile, promptSchema } from './prompt-schema.ts';
import { type DataProblem, dataAt, schemaProblems } from './schema-problems.ts';
import { nearest } from './suggest.ts';
import { type Path, type Problem, readYamlFile, type YamlFile } from './yaml-file.ts';

/** What the files of a directory hold, and what is wrong with them as files. */
export interface Reading {
  /** Null where too little could be read to look any further. */
  readonly parsed: ParsedFiles | null;
  readonly sources: Sources;
  readonly expanded: readonly { readonly name: string; readonly data: unknown }[];
  readonly problems: readonly Problem[];
  readonly notices: readonly string[];
}

/** Reads one file after the other, and keeps what was wrong with each. */
export function readFiles(
  dir: string,
  environment: Environment,
  providers: ProviderRegistry,
): Reading {
  const files = new Map<string, YamlFile>();
  const expansions = new Map<string, readonly Expansion[]>();
  const expanded: { name: string; data: unknown }[] = [];
  const problems: Problem[] = [];
  const notices: string[] = [];

  const read = <File>(name: string, schema: ZodType<File>, absent: unknown): File | null => {
    const path = join(dir, name);
    if (absent !== undefined && !existsSync(path)) {
      notices.push(`${name} is absent: its defaults are in force`);
      return schema.parse(absent);
    }
    const { file, problems: unread } = readYamlFile(name, path);
    problems.push(...unread);
    if (!file) return null;
    files.set(name, file);
    const verbatim = schema === (promptSchema as unknown);
    const keeps = verbatim ? () => true : secretsOf(file.data, providers);
    const result = expand(file.data, environment.variables, keeps);
    expansions.set(name, result.expansions);
    expanded.push({ name, data: result.data });
    problems.push(
      ...result.unset.map(({ path: at, variable }) => {
        const message =
          `${variable} is not set: set it, or write \${${variable}:-default}; ` +
          'only api_key may go without';
        return problemAt(file, result.data, at, message);
      }),
      ...result.forbidden.map((at) => problemAt(file, result.data, at, 'not a usable key', true)),
    );
    return parse(file, schema, result.data, problems);
  };

  const gateway = read('gateway.yaml', gatewaySchema, undefined);
  const pipeline = read('pipeline.yaml', pipelineSchema, { version: 1 });
  const oracle = read('oracle_policies.yaml', oracleSchema, {});
  const prompts = promptFiles(dir).map((file) => ({
    file,
    data: read<PromptFile>(file, promptSchema, undefined),
  }));
  for (const name of strayFiles(dir)) {
    const near = nearest(name, MAIN_FILES);
    notices.push(`${name} is not read${near ? `; did you mean ${near}?` : ''}`);
  }
  if (oracle?.thresholds.cost) {
    notices.push('thresholds.cost is read, but nothing obeys it yet');
  }
  const whole = prompts.filter((one): one is ParsedFiles['prompts'][number] => one.data !== null);
  problems.push(...repeatedPrompts(whole, files));
  const complete = gateway && pipeline && oracle && whole.length === prompts.length;
  const parsed = complete ? { gateway, pipeline, oracle, prompts: whole } : null;
  return { parsed, sources: { files, expansions }, expanded, problems, notices };
}

/**
 * Parses a file; where it does not fit, its problems are kept and it is parsed again without what
 * was wrong, so that mistakes of a second kind are reported in the same run.
 */
function parse<File>(
  file: YamlFile,
  schema: ZodType<File>,
  data: unknown,
  problems: Problem[],
): File | null {
  const wrong = schemaProblems(schema, data);
  problems.push(
    ...wrong.map(({ path, message, key }) => problemAt(file, data, path, message, key)),
  );
  const parsed = schema.safeParse(wrong.length > 0 ? without(data, wrong) : data);
  return parsed.success ? parsed.data : null;
}

function without(data: unknown, wrong: readonly DataProblem[]): unknown {
  const copy: unknown = structuredClone(data);
  for (const { path } of wrong) {
    const above = dataAt(copy, path.slice(0, -1));
    const last = path.at(-1);
    if (last === undefined || above === null || typeof above !== 'object') continue;
    // An entry of a list stays, or those behind it would move to other lines.
    if (!Array.isArray(above)) delete (above as Record<string | number, unknown>)[last];
  }
  return copy;
}

/** Secrets stay `${VAR}`: which options are secrets, the provider's definition says. */
function secretsOf(data: unknown, providers: ProviderRegistry): (path: Path) => boolean {
  return (path) => {
    const [root, name, key] = path;
    if (root !== 'providers' || name === undefined || path.length !== 3) return false;
    const use = dataAt(data, ['providers', name, 'use']);
    const definition = typeof use === 'string' ? providers.get(use) : undefined;
    return definition?.secrets.includes(String(key)) ?? false;
  };
}

function repeatedPrompts(
  prompts: ParsedFiles['prompts'],
  files: ReadonlyMap<string, YamlFile>,
): readonly Problem[] {
  return prompts.flatMap(({ file, data }, index) => {
    const earlier = prompts.slice(0, index).find((other) => other.data.name === data.name);
    const source = files.get(file);
    if (!earlier || !source) return [];
    return [problemAt(source, source.data, ['name'], `${earlier.file} has this name as well`)];
  });
}

function problemAt(
  file: YamlFile,
  data: unknown,
  path: Path,
  message: string,
  key = false,
): Problem {
  return { file: file.name, ...file.positionOf(path, key), path: dotted(path, data), message };
}
