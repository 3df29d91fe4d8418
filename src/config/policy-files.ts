import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Stream } from '../core/canonical.ts';

/** The files of a policies directory by role; prompts in order of their names. */
export const MAIN_FILES = ['gateway.yaml', 'pipeline.yaml', 'oracle_policies.yaml'] as const;
export type MainFile = (typeof MAIN_FILES)[number];
export const PROMPTS_DIR = 'prompts';

export function promptFiles(dir: string): readonly string[] {
  return yamlNames(join(dir, PROMPTS_DIR)).map((name) => `${PROMPTS_DIR}/${name}`);
}

/** YAML files that nobody reads: most likely a misspelled name. */
export function strayFiles(dir: string): readonly string[] {
  return yamlNames(dir).filter((name) => !(MAIN_FILES as readonly string[]).includes(name));
}

/**
 * One hash over the bytes of all files there are: touched but unchanged files leave it as it is.
 */
export function hashFiles(dir: string): string {
  const hash = sha256Stream();
  for (const name of [...MAIN_FILES, ...promptFiles(dir)]) {
    const bytes = readBytes(join(dir, name));
    hash.update(`${name} ${bytes?.length ?? 'absent'}\n`);
    if (bytes) hash.update(bytes);
  }
  return hash.digest();
}

function readBytes(path: string): Uint8Array | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}

function yamlNames(dir: string): readonly string[] {
  try {
    return readdirSync(dir)
      .filter((name) => /\.ya?ml$/.test(name) && !name.startsWith('.'))
      .sort();
  } catch {
    return [];
  }
}
