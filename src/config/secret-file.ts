import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayError } from '../core/errors.ts';
import { readIfPresent, writeDurably } from './durable.ts';

const BYTES = 32;

/**
 * The key under which users, sessions and units are hashed: 32 random bytes, made at the first
 * start. A new one would make every returning user a stranger, so a damaged file stops the start.
 */
export function openSecretFile(data_dir: string): Uint8Array {
  const path = join(data_dir, 'secret');
  if (readIfPresent(path) === null) {
    mkdirSync(data_dir, { recursive: true, mode: 0o700 });
    writeDurably(path, `${randomBytes(BYTES).toString('hex')}\n`);
  }
  const secret = Buffer.from(readFileSync(path, 'utf8').trim(), 'hex');
  if (secret.length === BYTES) return secret;
  throw new GatewayError('not_ready', `${path} does not hold 64 hex digits: restore it`, {
    param: path,
  });
}
