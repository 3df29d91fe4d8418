import { join } from 'node:path';
import { z } from 'zod';
import { GatewayError } from '../core/errors.ts';
import { type Control, EMPTY_CONTROL } from '../core/state.ts';
import { readIfPresent, writeDurably } from './durable.ts';

const controlSchema = z.object({
  frozen: z.boolean(),
  withdrawn: z.array(z.string()),
});

export function controlPath(data_dir: string): string {
  return join(data_dir, 'control.json');
}

/**
 * The brake as it stands in `DATA/control.json`; absent means that nobody has pulled it. Throws on
 * a file that cannot be read: to guess would be to bring back what an operator took away by hand,
 * so a start is refused, and a gateway that runs keeps to what it last read.
 */
export function readControl(data_dir: string): Control {
  const path = controlPath(data_dir);
  const text = readIfPresent(path);
  if (text === null) return EMPTY_CONTROL;
  try {
    return controlSchema.parse(JSON.parse(text));
  } catch (thrown) {
    throw new GatewayError(
      'bad_request',
      `${path} cannot be read: mend it, or remove it to lift every freeze and withdrawal in it`,
      { param: path },
      thrown,
    );
  }
}

export function writeControl(data_dir: string, control: Control): void {
  writeDurably(controlPath(data_dir), `${JSON.stringify(control, null, 2)}\n`);
}
