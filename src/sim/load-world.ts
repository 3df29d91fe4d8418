import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dotted } from '../config/origins.ts';
import { schemaProblems } from '../config/schema-problems.ts';
import { didYouMean } from '../config/suggest.ts';
import { readYamlFile } from '../config/yaml-file.ts';
import { GatewayError } from '../core/errors.ts';
import { worldPolicy } from './policy-files.ts';
import { referenceProblems, scenarioSchema, type World } from './scenario.ts';

export const WORLDS_DIR = fileURLToPath(new URL('./worlds', import.meta.url));

/** The worlds that come with the product, by name. */
export function worldNames(dir: string = WORLDS_DIR): readonly string[] {
  return readdirSync(dir)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => basename(file, '.yaml'))
    .sort();
}

/** A world by its name, or by the path of its file. Throws `bad_request`, every problem a line. */
export function loadWorld(name: string, dir: string = WORLDS_DIR): World {
  const is_path = /[/\\]|\.ya?ml$/.test(name);
  if (is_path) return readWorld(name, basename(name).replace(/\.ya?ml$/, ''));
  const names = worldNames(dir);
  if (names.includes(name)) return readWorld(join(dir, `${name}.yaml`), name);
  const meant = didYouMean(name, names);
  throw new GatewayError('bad_request', `there is no world ${name}: ${meant} (all: hive sim list)`);
}

function readWorld(path: string, name: string): World {
  const { file, problems } = readYamlFile(path, path);
  if (!file) throw refusal(problems);
  const wrong = schemaProblems(scenarioSchema, file.data);
  const at = (tokens: readonly (string | number)[], message: string, key = false) => {
    const { line, column } = file.positionOf(tokens, key);
    return { file: path, line, column, path: dotted(tokens, file.data), message };
  };
  if (wrong.length > 0) throw refusal(wrong.map((one) => at(one.path, one.message, one.key)));
  const scenario = scenarioSchema.parse(file.data);
  const astray = referenceProblems(scenario);
  if (astray.length > 0) throw refusal(astray.map((one) => at(one.path, one.message)));
  try {
    worldPolicy(scenario);
  } catch (thrown) {
    // What the oracle's part of the policy says is checked by the policy's own schema.
    throw refusal([at(['oracle'], thrown instanceof Error ? thrown.message : String(thrown))]);
  }
  return { name, scenario };
}

function refusal(
  problems: readonly {
    readonly file: string;
    readonly line: number;
    readonly column: number;
    readonly path: string;
    readonly message: string;
  }[],
): GatewayError {
  const lines = problems.map(({ file, line, column, path, message }) => {
    return `${file}:${line}:${column} ${path === '' ? '' : `${path}: `}${message}`;
  });
  return new GatewayError('bad_request', lines.join('\n'), { problems });
}
