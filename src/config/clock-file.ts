import { join } from 'node:path';
import { z } from 'zod';
import type { ClockOrigin } from '../core/clock.ts';
import { GatewayError } from '../core/errors.ts';
import { readIfPresent, writeDurably } from './durable.ts';

const clockSchema = z.object({ origin_ms: z.number(), scale: z.number().positive() });

/**
 * The origin of policy time, written at the first start of a data directory. Another scale on the
 * same data is refused: it would move every time that was recorded so far.
 */
export function openClockFile(data_dir: string, scale: number, wall_ms: number): ClockOrigin {
  const path = join(data_dir, 'clock.json');
  const text = readIfPresent(path);
  if (text === null) {
    const origin = { origin_ms: Math.round(wall_ms), scale };
    writeDurably(path, `${JSON.stringify(origin)}\n`);
    return origin;
  }
  const origin = parseClock(path, text);
  if (origin.scale === scale) return origin;
  throw new GatewayError(
    'bad_request',
    `HIVE_TIME_SCALE is ${scale}, but ${data_dir} was begun with ${origin.scale}: ` +
      `set HIVE_TIME_SCALE=${origin.scale}, or use another HIVE_DATA`,
    { param: 'HIVE_TIME_SCALE' },
  );
}

function parseClock(path: string, text: string): ClockOrigin {
  try {
    return clockSchema.parse(JSON.parse(text));
  } catch (thrown) {
    throw new GatewayError(
      'bad_request',
      `${path} cannot be read: restore it from a copy, or use another HIVE_DATA`,
      { param: path },
      thrown,
    );
  }
}
