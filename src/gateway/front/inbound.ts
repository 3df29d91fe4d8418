import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { LaneRequest } from './lane-request.ts';

/** A request as a call reads it: parsed by Node, or in the lane (docs/decisions/0014). */
export type InboundRequest = IncomingMessage | LaneRequest;

/** What is read of a request before its body. */
export interface RequestHead {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** By lower-case name, as Node joins them. */
  readonly headers: IncomingHttpHeaders;
}

/** What an answer is written to: the part of Node's `ServerResponse` that calls make use of. */
export interface OutboundResponse {
  readonly headersSent: boolean;
  readonly writableEnded: boolean;
  /** Whether the connection may be used again after this answer. */
  shouldKeepAlive: boolean;
  readonly socket: Pick<
    NonNullable<ServerResponse['socket']>,
    'setTimeout' | 'writableLength'
  > | null;
  /** Names in lower case and values by turns. */
  writeHead(status: number, headers: string[]): unknown;
  /** False where the client is slow: `drain` says when it is time for more. */
  write(bytes: Uint8Array): boolean;
  end(): unknown;
  /** A text is sent as Latin-1, so it is the bytes of a body, one a unit. */
  end(body: string, encoding: 'latin1'): unknown;
  end(body: Uint8Array): unknown;
  destroy(): unknown;
  on(event: 'close', listener: () => void): unknown;
  /** Tells who answers that its client is to be left. */
  emit(event: 'close'): unknown;
  once(event: 'drain', listener: () => void): unknown;
}
