import type { Server } from 'node:http';
import { Server as Listener } from 'node:net';
import { inTurn } from '../clock/in-turn.ts';
import type { OutboundResponse } from './inbound.ts';
import type { Lane } from './lane.ts';
import { OpenList } from './open-list.ts';

/** How a listener is to end. */
export interface StopSpec {
  /** How long calls under way may go on; then they are broken off. */
  readonly deadline_ms: number;
  /**
   * How long nobody must have asked anything before the connections that are left are closed: a
   * client that finds its connection closed as it asks has a failed call.
   */
  readonly quiet_ms: number;
  /**
   * Somebody else listens on the same port already: no connection is taken any more. Otherwise the
   * port stays open while calls come, so that whoever balances them can see that this one is not
   * ready, and send them elsewhere.
   */
  readonly handed_over: boolean;
}

/** Ends a listener without failing a call. */
export interface Drain {
  /** A request of the lane; those of Node's server it hears of by itself. */
  began(response: OutboundResponse): void;
  /** Resolves when no connection is left. Calls that come meanwhile are served. */
  stop(spec: StopSpec): Promise<void>;
  /** Whether it was the deadline that closed what is closed now, and no client. */
  brokeOff(): boolean;
}

const LOOK_MS = 10;
/** The share of the deadline after which no new call is taken, so that those under way may end. */
const LISTEN_SHARE = 2 / 3;
/** For what is neither a call nor idle, such as half a request. */
const REST_MS = 1000;
/** For the last words to who is broken off, and for a client amid its request to hear them. */
const LAST_WORDS_MS = 200;

/**
 * Watches the requests of a server, so that it can be ended in order: each answer from then on
 * closes its connection, and the client comes again on another, where somebody else may answer.
 */
export function createDrain(
  server: Server,
  lane: Pick<Lane, 'closeIdle' | 'closeAll'> | null,
  monotonic_ms: () => number,
): Drain {
  const open = new OpenList<OutboundResponse>();
  let stopping = false;
  let brokeOff = false;
  let asked_ms = 0;

  /** One function for all, called on the response itself. */
  function forget(this: OutboundResponse): void {
    open.remove(this);
  }
  const began = (response: OutboundResponse): void => {
    open.add(response);
    response.on('close', forget);
    asked_ms = monotonic_ms();
    if (stopping) response.shouldKeepAlive = false;
  };
  // In turn: what waits for an answer before it is closed without a word if its client leaves.
  const remember = inTurn((_request, response) => began(response));
  server.prependListener('request', remember);

  const until = async (met: () => boolean, by_ms: number): Promise<void> => {
    while (!met() && monotonic_ms() < by_ms) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  };

  return {
    began,
    brokeOff: () => brokeOff,
    async stop({ deadline_ms, quiet_ms, handed_over }) {
      if (!server.listening) return;
      stopping = true;
      open.forEach((response) => {
        if (!response.headersSent) response.shouldKeepAlive = false;
      });
      const begun_ms = monotonic_ms();
      const ends_ms = begun_ms + deadline_ms;
      asked_ms = begun_ms;
      const isQuiet = (): boolean => open.count === 0 && monotonic_ms() - asked_ms >= quiet_ms;
      if (!handed_over) await until(isQuiet, begun_ms + deadline_ms * LISTEN_SHARE);
      let closed = false;
      // Not the HTTP server's own `close`, which cuts connections that a request may be under way
      // on.
      Listener.prototype.close.call(server, () => {
        closed = true;
      });
      await until(isQuiet, ends_ms);
      server.closeIdleConnections();
      lane?.closeIdle();
      await until(() => closed, Math.min(ends_ms, monotonic_ms() + REST_MS));
      brokeOff = true;
      // Whoever answers says so before the connection ends.
      for (const response of open.all()) response.emit('close');
      await until(() => closed, monotonic_ms() + LAST_WORDS_MS);
      server.closeAllConnections();
      lane?.closeAll();
      await until(() => closed, monotonic_ms() + REST_MS);
      // Ends what the server keeps beside its connections.
      server.close();
    },
  };
}
