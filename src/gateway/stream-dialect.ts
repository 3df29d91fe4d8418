import type { Endpoint } from '../core/call.ts';
import type { GatewayError } from '../core/errors.ts';
import type { Chunk } from '../core/plugin.ts';
import { errorBody, openAiError } from './error-body.ts';
import { encodeEvent } from './upstream/sse.ts';

/** What the streams of one endpoint look like where the gateway itself has to write into one. */
export interface StreamDialect {
  /** The last event of a complete answer; none where only the upstream can write it. */
  readonly end: Uint8Array | undefined;
  /** Whether usage comes as a chunk of its own, and only to who asked for it. */
  readonly usage_extra: boolean;
  /** What a client must see of an answer that broke off, after `sent` events. */
  errorEvent(error: GatewayError, request_id: string, sent: number): Uint8Array;
  /** An event whose data a plugin changed. */
  chunkEvent(chunk: Chunk): Uint8Array;
}

export const DONE = '[DONE]';

const CHAT: StreamDialect = {
  end: Buffer.from(`data: ${DONE}\n\n`),
  usage_extra: true,
  errorEvent: (error) => encodeEvent(openAiError(error)),
  chunkEvent: (chunk) => encodeEvent(chunk),
};

const MESSAGES: StreamDialect = {
  end: encodeEvent({ type: 'message_stop' }, 'message_stop'),
  usage_extra: false,
  errorEvent: (error, request_id) =>
    encodeEvent(errorBody(error, 'anthropic', request_id), 'error'),
  chunkEvent: namedEvent,
};

/**
 * `response.completed` carries the whole answer, so nobody but the upstream can write it. The error
 * stands in the event twice: as its type has it, and as an object, on which clients throw.
 */
const RESPONSES: StreamDialect = {
  end: undefined,
  usage_extra: false,
  errorEvent(error, _request_id, sent) {
    const { error: said } = openAiError(error) as { readonly error: Chunk };
    const { code, message, param } = said;
    const data = { type: 'error', code, message, param, sequence_number: sent, error: said };
    return encodeEvent(data, 'error');
  },
  chunkEvent: namedEvent,
};

/** Events of these dialects are called as their data's `type`. */
function namedEvent(chunk: Chunk): Uint8Array {
  return encodeEvent(chunk, typeof chunk.type === 'string' ? chunk.type : undefined);
}

export function streamDialect(endpoint: Endpoint): StreamDialect {
  if (endpoint === 'messages') return MESSAGES;
  return endpoint === 'responses' ? RESPONSES : CHAT;
}
