import { stat } from 'node:fs/promises';
import { EngineError } from './engine-error.ts';

/**
 * Adapter files that did not load. llama.cpp gives back only part of what a failed load took, so a
 * file is tried again only after it changed: a canary of a broken adapter must not eat the memory.
 */
export interface AdapterFiles {
  /** Throws `adapter_failed` for a file that is missing, or broken and still the same. */
  check(adapter: string, path: string): Promise<void>;
  /** Remembers the file as broken; the error to throw. */
  broken(adapter: string, path: string, cause: unknown): Promise<EngineError>;
}

export function createAdapterFiles(): AdapterFiles {
  const broken = new Map<string, string>();
  return {
    async check(adapter, path) {
      const stamp = await stampOf(path);
      if (stamp === null) throw adapterFailed(adapter, 'its file cannot be read');
      if (broken.get(path) === stamp) throw adapterFailed(adapter, 'its file is still the same');
    },
    async broken(adapter, path, cause) {
      const stamp = await stampOf(path);
      if (stamp !== null) broken.set(path, stamp);
      return adapterFailed(adapter, 'the engine refused its file', cause);
    },
  };
}

async function stampOf(path: string): Promise<string | null> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino}:${size}:${mtimeMs}`;
  } catch {
    return null;
  }
}

function adapterFailed(adapter: string, reason: string, cause?: unknown): EngineError {
  const message = `Adapter ${adapter} cannot be loaded: ${reason}.`;
  return new EngineError(500, 'server_error', message, { code: 'adapter_failed', cause });
}
