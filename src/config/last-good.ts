import { join } from 'node:path';
import { z } from 'zod';
import { digestOf, type JsonObject } from '../core/canonical.ts';
import { messageOf } from '../core/errors.ts';
import { type Log, silentLog } from '../core/log.ts';
import type { Row } from '../core/oracle.ts';
import type { State } from '../core/state.ts';
import { readIfPresent, writeDurably } from './durable.ts';

/** The last state that the gateway served, and the hash of the YAML that it was folded over. */
export interface LastGood {
  readonly state: State;
  readonly source_sha256: string;
}

const json: z.ZodType<JsonObject> = z.record(z.string(), z.json());
const rowSchema = z.object({
  seq: z.number(),
  id: z.string(),
  rollback_key: z.string(),
  type: z.string() as unknown as z.ZodType<Row['type']>,
  agent: z.string(),
  state: z.string() as unknown as z.ZodType<Row['state']>,
  touches: z.array(z.string().regex(/^\//)),
  before: json,
  patch: json,
});
const stateSchema = z.object({
  epoch: z.number().int().nonnegative(),
  rows: z.array(rowSchema),
  experiments: z.array(
    z.object({
      id: z.string(),
      agent: z.string(),
      row: z.string(),
      state: z.enum(['canary', 'paused']),
      epoch: z.number(),
    }),
  ),
  ab: z
    .array(
      z.object({
        id: z.string(),
        state: z.enum(['running', 'stopped']),
        epoch: z.number(),
        dropped: z.array(z.string()),
      }),
    )
    .optional(),
  // The checksum says that it is what was compiled and served; to read it by halves would break it.
  content: z.record(z.string(), json) as unknown as z.ZodType<State['content']>,
});
const fileSchema = z.object({
  v: z.literal(1),
  state: stateSchema,
  source_sha256: z.string(),
  sha256: z.string(),
});

function lastGoodPath(data_dir: string): string {
  return join(data_dir, 'last-good.json');
}

/**
 * What a restart begins with before the worker speaks. A file that is damaged is reported and
 * counts as absent: the gateway then serves the YAML alone until the worker sends its rows.
 */
export function readLastGood(data_dir: string, log: Log = silentLog): LastGood | null {
  const path = lastGoodPath(data_dir);
  try {
    const text = readIfPresent(path);
    if (text === null) return null;
    const file = fileSchema.parse(JSON.parse(text));
    const { ab, ...rest } = file.state;
    const state: State = ab === undefined ? rest : { ...rest, ab };
    const lastGood = { state, source_sha256: file.source_sha256 };
    if (digestOf(lastGood) !== file.sha256) throw new Error('its checksum does not match');
    return lastGood;
  } catch (thrown) {
    log.error('last-good.json is damaged: no rows until the worker sends them', {
      path,
      reason: messageOf(thrown),
    });
    return null;
  }
}

export function writeLastGood(data_dir: string, lastGood: LastGood): void {
  const { state, source_sha256 } = lastGood;
  const sha256 = digestOf({ state, source_sha256 });
  writeDurably(lastGoodPath(data_dir), JSON.stringify({ v: 1, state, source_sha256, sha256 }));
}
