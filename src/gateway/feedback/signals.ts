import { GatewayError } from '../../core/errors.ts';
import type { Signal } from '../../core/event.ts';

/** What a person said, whichever door it came through: one entry a signal. */
export interface Spoken {
  readonly signal: Signal;
  /** As `FeedbackEvent.value`. */
  readonly value: number;
  readonly text: string | null;
}

/** How feedback names what it is about: ids as the client wrote them. */
export interface NamedByClient {
  readonly call: string | null;
  readonly completion_id: string | null;
  readonly request_id: string | null;
  readonly session: string | null;
  readonly agent: string | null;
}

export const FEEDBACK_TEXT_BYTES_MAX = 8 * 1024;
const ID_LENGTH_MAX = 200;
const SESSION_BYTES_MAX = 1024;

/** Fields of one object by name, with `path` in front of the name in every complaint about them. */
export interface Fields {
  readonly path: string;
  get(name: string): unknown;
}

/**
 * A JSON object's own fields; null counts as absent, since clients fill in what they do not know.
 */
export function fieldsOf(source: unknown, path: string): Fields {
  if (source === undefined || source === null) return { path, get: () => undefined };
  if (typeof source !== 'object' || Array.isArray(source)) {
    throw invalid(path.slice(0, -1) || 'body', `must be a JSON object, got ${shown(source)}`);
  }
  const known = source as Record<string, unknown>;
  return { path, get: (name) => (Object.hasOwn(known, name) ? known[name] : null) ?? undefined };
}

/**
 * The signals among the fields. A comment is no verdict of its own: it goes with the first signal
 * that has no text yet. Throws `bad_request` naming the field.
 */
export function signalsOf(fields: Fields): readonly Spoken[] {
  const complaint = complaintOf(fields);
  const spoken = [
    rated(fields),
    flagged(fields, 'helpful'),
    complaint,
    corrected(fields),
    flagged(fields, 'accepted') ?? copied(fields),
  ].filter((one) => one !== null);
  const comment = textOf(fields, 'comment');
  const silent = spoken.find((one) => one.text === null);
  if (comment === null || !silent) return spoken;
  return spoken.map((one) => (one === silent ? { ...one, text: comment } : one));
}

function rated(fields: Fields): Spoken | null {
  const value = fields.get('rating');
  if (value === undefined) return null;
  if (typeof value === 'number' && value >= 1 && value <= 5) {
    return { signal: 'rating', value, text: null };
  }
  throw invalid(`${fields.path}rating`, `must be between 1 and 5, got ${shown(value)}`);
}

function flagged(fields: Fields, signal: 'helpful' | 'accepted' | 'complaint'): Spoken | null {
  const value = fields.get(signal);
  if (value === undefined) return null;
  if (typeof value === 'boolean') return { signal, value: value ? 1 : 0, text: null };
  throw invalid(`${fields.path}${signal}`, `must be true or false, got ${shown(value)}`);
}

/** Who copies an answer takes it; who does not may have taken it all the same. */
function copied(fields: Fields): Spoken | null {
  const value = fields.get('copied');
  if (value === undefined || value === false) return null;
  if (value === true) return { signal: 'accepted', value: 1, text: null };
  throw invalid(`${fields.path}copied`, `must be true or false, got ${shown(value)}`);
}

/** A complaint is a flag, or its own words; `false` takes an earlier one back. */
function complaintOf(fields: Fields): Spoken | null {
  if (typeof fields.get('complaint') !== 'string') return flagged(fields, 'complaint');
  const text = textOf(fields, 'complaint');
  return text === null ? null : { signal: 'complaint', value: 1, text };
}

function corrected(fields: Fields): Spoken | null {
  const text = textOf(fields, 'correction');
  return text === null ? null : { signal: 'correction', value: 1, text };
}

/**
 * Text as the store can hold it: JSON lets NUL and lone surrogates through, Postgres does not, and
 * one such record would hold up all that follow it.
 */
function textOf(fields: Fields, name: string): string | null {
  const value = fields.get(name);
  if (value === undefined || value === '') return null;
  const param = `${fields.path}${name}`;
  if (typeof value !== 'string') throw invalid(param, `must be text, got ${shown(value)}`);
  if (Buffer.byteLength(value) > FEEDBACK_TEXT_BYTES_MAX) {
    throw invalid(param, `must be at most ${FEEDBACK_TEXT_BYTES_MAX} bytes`);
  }
  return value.replaceAll('\0', '\u{fffd}').toWellFormed();
}

/** An id that a response carried: printable ASCII, or it cannot be one of ours. */
export function idOf(fields: Fields, name: string): string | null {
  const value = fields.get(name);
  if (value === undefined) return null;
  const param = `${fields.path}${name}`;
  if (typeof value !== 'string') throw invalid(param, `must be a string, got ${shown(value)}`);
  if (/^[\x21-\x7e]+$/.test(value) && value.length <= ID_LENGTH_MAX) return value;
  throw invalid(param, `must be 1 to ${ID_LENGTH_MAX} printable ASCII characters`);
}

/** What an application calls its session or user: any text, since only its hash is kept. */
export function nameOf(fields: Fields, name: string): string | null {
  const value = fields.get(name);
  if (value === undefined || value === '') return null;
  const param = `${fields.path}${name}`;
  if (typeof value !== 'string') throw invalid(param, `must be a string, got ${shown(value)}`);
  if (Buffer.byteLength(value) <= SESSION_BYTES_MAX) return value;
  throw invalid(param, `must be at most ${SESSION_BYTES_MAX} bytes`);
}

export function invalid(param: string, problem: string): GatewayError {
  return new GatewayError('bad_request', `${param} ${problem}`, { param });
}

/** A value as a complaint shows it: short, and never a whole text of the client's. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return (JSON.stringify(value) ?? String(value)).slice(0, 40);
}
