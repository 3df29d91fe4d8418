import type { ParseArgsOptionsConfig } from 'node:util';
import { GatewayError } from '../core/errors.ts';

/**
 * One word after `hive lab`: the oracle's own code on a file of the user's. It reads rows as they
 * come and keeps no more than it says in its help. Store and engine are never imported here.
 */
export interface LabCommand {
  readonly name: string;
  /** What follows the name, as a reader of `--help` sees it. */
  readonly usage: string;
  readonly summary: string;
  /** A whole line that can be typed as it is, in the product's own directory. */
  readonly example: string;
  /** More lines of `--help`: fields of the rows, flags with their defaults, what it keeps. */
  readonly details: readonly string[];
  readonly options: ParseArgsOptionsConfig;
  /** Resolves with the exit code; a GatewayError becomes one line and the code 1 (usage: 2). */
  run(flags: LabFlags, io: LabIo): Promise<number>;
}

export type LabFlags = Readonly<Record<string, string | boolean | undefined>>;

/** All that a command reaches of the world. */
export interface LabIo {
  /** A line of the answer. It may be held back until the next chunk is asked for. */
  print(line: string): void;
  /** A line that is no answer. */
  warn(line: string): void;
  /** The text of a file in chunks, or of the standard input for `-`. Rejects if it cannot. */
  open(file: string): AsyncIterable<string>;
  /** Where people watch: overwrites one line. Absent where nobody does. */
  readonly progress?: (text: string) => void;
}

/** A mistake in the command line itself: exit code 2. */
export function labUsageError(message: string): GatewayError {
  return new GatewayError('bad_request', message, { usage: true });
}

/** A file that cannot be used: exit code 1. */
export function fileError(file: string, what: string): GatewayError {
  return new GatewayError('bad_request', `${file === '-' ? 'standard input' : file} ${what}`);
}

/** A flag that names a file and must be there. */
export function fileFlag(flags: LabFlags, name: string): string {
  const value = flags[name];
  if (typeof value === 'string' && value !== '') return value;
  throw labUsageError(`--${name} FILE is missing; - reads the standard input`);
}

/** A flag's number within bounds, both inclusive, or its default. */
export function numberFlag(
  flags: LabFlags,
  name: string,
  otherwise: number,
  bounds: readonly [least: number, most: number],
): number {
  const text = flags[name];
  if (typeof text !== 'string') return otherwise;
  const value = Number(text);
  const [least, most] = bounds;
  if (text.trim() !== '' && value >= least && value <= most) return value;
  throw labUsageError(
    `--${name} is a number from ${least} to ${most}, not ${JSON.stringify(text)}`,
  );
}
