import { toGatewayError } from '../core/errors.ts';
import { exitCodeOf } from './command.ts';
import { plain } from './text.ts';

/** Says what went wrong, and the exit code for it: 1 failed, 2 misused. */
export function failureCode(thrown: unknown, warn: (line: string) => void): number {
  const error = toGatewayError(thrown);
  const unforeseen = error.code === 'internal' && error.cause instanceof Error;
  const message = unforeseen ? (error.cause as Error).message : error.message;
  // The policy's problems are one a line; everything else is one line in all.
  for (const line of message.split('\n')) warn(`hive: ${plain(line)}`);
  return exitCodeOf(error);
}
