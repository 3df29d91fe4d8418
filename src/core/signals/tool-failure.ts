import type { Json, JsonObject } from '../canonical.ts';
import { isObject, parseText } from '../json-values.ts';
import { textOf } from './turns.ts';

/** A result longer than this is data; it is not parsed to find an error in it. */
const PARSED_CHARS_MAX = 4096;
/** How the text of an error begins; each alternative is a fixed text, so matching is linear. */
const BEGINNINGS = [
  'error:',
  'error ',
  'error\n',
  'exception:',
  'traceback (most recent call last)',
  'fatal:',
  'fatal error',
  'failed to ',
  'failure:',
  'typeerror:',
  'valueerror:',
  'keyerror:',
  'runtimeerror:',
  'referenceerror:',
  'syntaxerror:',
  'uncaught ',
  'command failed',
  'permission denied',
  'no such tool',
  'unknown tool',
  'tool not found',
  'invalid arguments',
  '<tool_use_error>',
  'http error',
  'timeout error',
  'connection refused',
  'request failed',
];
const BEGINNING_CHARS = 40;

/** How many of a turn's results say that the tool failed. */
export function toolFailures(results: readonly JsonObject[]): number {
  return results.reduce((count, result) => count + (hasFailed(result) ? 1 : 0), 0);
}

/**
 * The dialect's own mark, else a JSON object that reports an error, else a text that begins as
 * errors do. What only speaks of an error further on is a result like any other.
 */
function hasFailed(result: JsonObject): boolean {
  if (result.is_error === true || result.isError === true) return true;
  if (result.is_error === false) return false;
  if (result.status === 'failed' || result.status === 'incomplete') return true;
  const text = textOf(result.content) ?? textOf(result.output);
  if (text === null) return false;
  const beginning = text.slice(0, BEGINNING_CHARS).trimStart().toLowerCase();
  if (beginning.startsWith('{')) return reportsError(text);
  return BEGINNINGS.some((one) => beginning.startsWith(one));
}

function reportsError(text: string): boolean {
  if (text.length > PARSED_CHARS_MAX) return false;
  const value = parseText(text);
  if (!isObject(value)) return false;
  const { error, errors, is_error, isError, success, ok, status } = value;
  if (says(error) || is_error === true || isError === true) return true;
  if (success === false || ok === false) return true;
  return status === 'error' || status === 'failed' || (Array.isArray(errors) && errors.length > 0);
}

/** An `error` of null, false, 0 or nothing is how success is reported as well. */
function says(error: Json | undefined): boolean {
  return Boolean(error) && !(isObject(error) && Object.keys(error).length === 0);
}
