import type { ParseArgsOptionsConfig } from 'node:util';
import { GatewayError } from '../core/errors.ts';
import type { Row } from '../core/oracle.ts';
import type { Control } from '../core/state.ts';
import type { AdminClient, Fetching } from './admin-client.ts';

/** One word after `hive`. `run` resolves with the exit code, or throws a GatewayError. */
export interface Command {
  readonly name: string;
  /** What follows the name, as a reader of `--help` sees it; a line for each of its forms. */
  readonly usage: string;
  readonly summary: string;
  /** A whole line that can be typed as it is. */
  readonly example: string;
  readonly options: ParseArgsOptionsConfig;
  /** How many words may follow, at least and at most. */
  readonly words: readonly [least: number, most: number];
  /** The words after `hive` that list what its first word may name: for who names none of it. */
  readonly listed_by?: string;
  run(asked: Asked, context: CliContext): Promise<number>;
  /** Has the rest of the line as it is, instead of `run`: its own words come with own flags. */
  takesAll?(args: readonly string[], context: CliContext): Promise<number>;
}

/** The command line, parsed. */
export interface Asked {
  readonly words: readonly string[];
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  readonly client: AdminClient;
  /** The data directory, absolute. */
  readonly data_dir: string;
  readonly json: boolean;
}

/** All that commands reach of the world. */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Prints a line for the reader, or for the program that reads `--json`. */
  readonly print: (line: string) => void;
  /** Prints a line that is no answer: a warning. */
  readonly warn: (line: string) => void;
  /** The text of a file, or of the standard input for `-`. */
  readonly readInput: (file: string) => Promise<string>;
  readonly fetch: Fetching;
  readonly pause: (ms: number) => Promise<unknown>;
  readonly brake: Brake;
  /** Starts the product in this process; resolves when it runs. */
  readonly start: (flags: StartWords) => Promise<void>;
  /** The report of `hive check`, with every problem on a line of its own. */
  readonly check: (options: CheckWords) => Promise<{ readonly ok: boolean; readonly text: string }>;
  /** `hive lab …`. */
  readonly lab: (args: readonly string[]) => Promise<number>;
  readonly product_version: string;
}

/** `DATA/control.json`, and what the gateway last served: the brake that needs no process. */
export interface Brake {
  readonly dataExists: (data_dir: string) => boolean;
  /** Whether two paths name one directory, links resolved. */
  readonly sameDir: (left: string, right: string) => boolean;
  readonly readControl: (data_dir: string) => Control;
  readonly writeControl: (data_dir: string, control: Control) => void;
  /** Rows of `last-good.json`; null where there is none. */
  readonly liveRows: (data_dir: string) => readonly Row[] | null;
}

export interface StartWords {
  readonly policies?: string;
  readonly host?: string;
  readonly port?: string;
  readonly admin_port?: string;
  readonly data?: string;
  readonly role?: string;
  readonly workers?: string;
}

export interface CheckWords {
  readonly policies?: string;
  readonly explain: boolean;
  /** Whether to call each target once as well. */
  readonly probe: boolean;
}

/** Each form of a command on a line of its own. */
export function usageLines({ name, usage }: Command): readonly string[] {
  return usage.split('\n').map((line) => `hive ${name} ${line}`.trim());
}

/** A mistake in the command line itself: exit code 2. */
export function usageError(message: string): GatewayError {
  return new GatewayError('bad_request', message, { usage: true });
}

export function exitCodeOf(error: GatewayError): number {
  return error.details.usage === true ? 2 : 1;
}

/** A flag's text, where it was given. */
export function flagText(asked: Asked, name: string): string | undefined {
  const value = asked.flags[name];
  return typeof value === 'string' ? value : undefined;
}

/** A flag's number, where it was given. */
export function flagNumber(asked: Asked, name: string): number | undefined {
  const text = flagText(asked, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw usageError(`--${name} is a number, not ${JSON.stringify(text)}`);
}

/** The word at an index that `words` of the command says must be there. */
export function wordAt(asked: Asked, index: number): string {
  return asked.words[index] ?? '';
}
