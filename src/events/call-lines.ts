import { crc32 } from 'node:zlib';
import type { Decision } from '../core/call.ts';
import type { CallEvent, JournalRecord } from '../core/event.ts';
import { Latest } from '../core/latest.ts';
import { lineOf, lineWith } from './line.ts';

/**
 * Lines of the journal, as `lineOf` writes them but for the order of a call's fields. Half of a
 * call's record is that of many others (its agent, version, decisions, markers): it is put into
 * JSON, and its checksum begun, once for all that share it.
 */
export type LineWriter = (record: JournalRecord) => string;

/** Halves that are kept; each look-up compares a call with all of them, if need be. */
const KEPT_MAX = 8;
/** Of so many calls with a half that is not known, one has it kept: many may have their own. */
const KEPT_EVERY = 8;

export function createLineWriter(): LineWriter {
  const halves = new Latest<SharedHalf>(KEPT_MAX);
  let misses = KEPT_EVERY - 1;
  return (record) => {
    if (record.type !== 'call') return lineOf(record);
    for (const half of halves.all) if (isSharedBy(half.of, record)) return lineOfCall(half, record);
    misses += 1;
    if (misses % KEPT_EVERY !== 0) return lineOf(record);
    const made = halfOf(record);
    halves.keep(made);
    return lineOfCall(made, record);
  };
}

const SHARED = [
  'type',
  'v',
  'tenant',
  'key',
  'agent',
  'version',
  'experiment',
  'arm',
  'share',
  'intended',
  'served',
  'adapter',
  'outcome',
  'arm_error',
  'finish',
  'category',
  'origin',
  'decisions',
  'markers',
] as const;

type Shared = Pick<CallEvent, (typeof SHARED)[number]>;
type OwnField = Exclude<keyof CallEvent, keyof Shared>;

interface SharedHalf {
  readonly of: Shared;
  /** An object's JSON but for its closing brace. */
  readonly json: string;
  readonly crc: number;
}

/** What it was made of is read back from it: what a plugin named may change under its hands. */
function halfOf(event: CallEvent): SharedHalf {
  const fields: Record<string, unknown> = {};
  for (const field of SHARED) fields[field] = event[field];
  const whole = JSON.stringify(fields);
  const json = `${whole.slice(0, -1)},`;
  return { of: JSON.parse(whole) as Shared, json, crc: crc32(json) };
}

function lineOfCall({ json, crc }: SharedHalf, event: CallEvent): string {
  // All of them by name, so that the compiler asks for one that is added.
  const own: Record<OwnField, unknown> = {
    id: event.id,
    request_id: event.request_id,
    completion_id: event.completion_id,
    at_ms: event.at_ms,
    unit: event.unit,
    user: event.user,
    session: event.session,
    parent: event.parent,
    relation: event.relation,
    attempts: event.attempts,
    escalations: event.escalations,
    ttft_ms: event.ttft_ms,
    latency_ms: event.latency_ms,
    tokens: event.tokens,
    cost_usd: event.cost_usd,
    signals: event.signals,
    follow_up: event.follow_up,
  };
  const rest = JSON.stringify(own).slice(1);
  return lineWith(crc32(rest, crc), json, rest);
}

function isSharedBy(half: Shared, event: CallEvent): boolean {
  return (
    half.agent === event.agent &&
    half.served === event.served &&
    half.outcome === event.outcome &&
    half.finish === event.finish &&
    half.key === event.key &&
    half.tenant === event.tenant &&
    half.version === event.version &&
    half.experiment === event.experiment &&
    half.arm === event.arm &&
    half.share === event.share &&
    half.intended === event.intended &&
    half.adapter === event.adapter &&
    half.arm_error === event.arm_error &&
    half.category === event.category &&
    half.origin === event.origin &&
    half.v === event.v &&
    areEqual(half.markers, event.markers) &&
    areSame(half.decisions, event.decisions)
  );
}

function areSame(left: readonly Decision[], right: readonly Decision[]): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index += 1) {
    if (!isSame(left[index] as Decision, right[index] as Decision)) return false;
  }
  return true;
}

function isSame(left: Decision, right: Decision): boolean {
  return (
    left.name === right.name &&
    left.chosen === right.chosen &&
    left.intended === right.intended &&
    left.forced === right.forced &&
    left.category === right.category &&
    left.features === right.features &&
    areEqual(left.options, right.options) &&
    areEqual(left.probabilities, right.probabilities)
  );
}

function areEqual<Value>(left: readonly Value[], right: readonly Value[]): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index += 1) {
    if (left[index] !== right[index]) return false;
  }
  return true;
}
