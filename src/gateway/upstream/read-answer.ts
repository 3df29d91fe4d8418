import type { Target } from '../../config/snapshot.ts';
import { bufferOf } from '../../core/buffer-of.ts';
import type { Endpoint, Note, Tokens } from '../../core/call.ts';
import { JsonOutline } from '../../core/json-outline.ts';
import type { AnswerFacts, UpstreamFailure, UpstreamRequest } from '../../core/provider.ts';
import { failed } from './failures.ts';
import type { UpstreamHeaders } from './upstream.ts';

export interface WholeAnswer {
  readonly status: number;
  readonly headers: UpstreamHeaders;
  readonly body: Uint8Array;
}

/** What was asked for. */
export interface AnswerSpec {
  readonly target: Target;
  readonly endpoint: Endpoint;
  readonly stream: boolean;
  /** When the call came, in seconds. */
  readonly created_s: number;
  readonly call_id: string;
  readonly adapter: string | null;
  readonly request: Pick<UpstreamRequest, 'recall'>;
}

export type WholeResult =
  | {
      readonly kind: 'whole';
      readonly status: number;
      readonly headers: UpstreamHeaders;
      readonly body: Uint8Array;
      readonly facts: AnswerFacts;
      /** What of it has no counterpart in the client's dialect. */
      readonly notes?: readonly Note[] | undefined;
    }
  | {
      readonly kind: 'failed';
      readonly failure: UpstreamFailure;
      readonly tokens?: Tokens | null;
    };

/** Larger answers are read a step a turn: to parse them at once takes milliseconds. */
export const LARGE_BYTES = 1024 * 1024;
const STEP_BYTES = 512 * 1024;
/** Stands for what is none: to parse as much of it as may be takes as long. */
const NO_JSON = Buffer.from('{');

/** What a whole answer comes to, once all of it is here. */
export function readAnswer(spec: AnswerSpec, given: WholeAnswer): WholeResult {
  const { endpoint, adapter, created_s, call_id, target } = spec;
  const { status, headers, body } = given;
  const { model } = target;
  const { recall } = spec.request;
  const answer = { endpoint, model, created_s, call_id, status, headers, body, adapter, recall };
  const result = target.provider.decode(answer);
  if (!result.ok) return { kind: 'failed', failure: result.error, tokens: result.tokens ?? null };
  if (status < 200 || status > 299) {
    const failure = failed('upstream_error', `The upstream answered status ${status}.`);
    return { kind: 'failed', failure };
  }
  if (spec.stream) {
    const message = 'The upstream answered whole where a stream was asked for.';
    const failure = failed('upstream_error', message);
    return { kind: 'failed', failure, tokens: result.facts.tokens };
  }
  const { body: passed, facts, notes } = result;
  return { kind: 'whole', status, headers, body: passed, facts, notes };
}

/**
 * The same of a large one, which is passed on as it came where its outline says all that is to be
 * known of it. Whatever else has to be made of it is made at once, of all of it.
 */
export async function readLarge(spec: AnswerSpec, given: WholeAnswer): Promise<WholeResult> {
  const making = new JsonOutline(bufferOf(given.body));
  while (!making.step(STEP_BYTES)) await new Promise((next) => void setImmediate(next));
  const outline = making.result();
  if (outline === null) return readAnswer(spec, { ...given, body: NO_JSON });
  if (outline === 'deep') return readAnswer(spec, given);
  const result = readAnswer(spec, { ...given, body: outline });
  const passes = result.kind === 'whole' && result.body === outline;
  return passes ? { ...result, body: given.body } : readAnswer(spec, given);
}
