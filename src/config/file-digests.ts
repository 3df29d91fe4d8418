import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { sha256Stream } from '../core/canonical.ts';
import { messageOf } from '../core/errors.ts';
import { type Policy, providerOptions } from '../core/policy.ts';
import type { PolicyProblem } from './references.ts';
import type { Known } from './semantics.ts';

/** SHA-256 of files, read once for each (path, time, size): a model may be gigabytes. */
export interface FileDigests {
  /** Throws where the file cannot be read. */
  digestOf(path: string): string;
}

const CHUNK_BYTES = 1024 * 1024;

export function createFileDigests(): FileDigests {
  const known = new Map<string, { readonly stamp: string; readonly digest: string }>();
  return {
    digestOf(path) {
      const facts = statSync(path);
      if (!facts.isFile()) throw new Error('is not a file');
      const stamp = `${facts.mtimeMs} ${facts.size} ${facts.ino}`;
      const seen = known.get(path);
      if (seen?.stamp === stamp) return seen.digest;
      const digest = hashFile(path);
      known.set(path, { stamp, digest });
      return digest;
    },
  };
}

function hashFile(path: string): string {
  const hash = sha256Stream();
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  const file = openSync(path, 'r');
  try {
    for (let read = readSync(file, chunk); read > 0; read = readSync(file, chunk)) {
      hash.update(chunk.subarray(0, read));
    }
  } finally {
    closeSync(file);
  }
  return hash.digest();
}

/** The digests of the models and adapters that providers name, and which of them are not there. */
export function digestProviderFiles(
  policy: Policy,
  known: Known,
  root: string,
  digests: FileDigests,
): {
  readonly files: Readonly<Record<string, string>>;
  readonly problems: readonly PolicyProblem[];
} {
  const files: Record<string, string> = {};
  const problems: PolicyProblem[] = [];
  for (const [name, entry] of Object.entries(policy.providers)) {
    const definition = known.providers.get(entry.use);
    const options = definition?.options.safeParse(providerOptions(entry));
    if (!definition?.files || !options?.success) continue;
    for (const path of definition.files(options.data as never)) {
      const absolute = resolve(root, path);
      try {
        files[path] = digests.digestOf(absolute);
      } catch (thrown) {
        const tokens = ['providers', name, ...(pathOfValue(entry, path) ?? [])];
        problems.push({ tokens, message: unreadable(path, absolute, thrown) });
      }
    }
  }
  return { files, problems };
}

function unreadable(path: string, absolute: string, thrown: unknown): string {
  const code = (thrown as NodeJS.ErrnoException).code;
  const what = code === 'ENOENT' ? 'does not exist' : `cannot be read: ${messageOf(thrown)}`;
  return `${path} ${what} (looked for ${absolute}; paths are relative to the folder of policies/)`;
}

/** Where in the options a value stands, so that the error can point at the line that names it. */
function pathOfValue(data: unknown, wanted: string): readonly string[] | null {
  if (data === wanted) return [];
  if (data === null || typeof data !== 'object') return null;
  for (const [key, value] of Object.entries(data)) {
    const found = pathOfValue(value, wanted);
    if (found) return [key, ...found];
  }
  return null;
}
