import { LRUCache } from 'lru-cache';
import { GatewayError } from '../../core/errors.ts';
import { type Log, silentLog } from '../../core/log.ts';
import { TurnEnd } from '../clock/turn-end.ts';
import { createDialer, REFUSED_ADDRESS } from './egress.ts';
import { ConnectionPool } from './http1/connection-pool.ts';
import { type AddressedHead, RequestHeads } from './http1/request-head.ts';
import {
  ANSWER_BYTES_MAX,
  type Outgoing,
  type Sending,
  type Sink,
  type Upstream,
} from './upstream.ts';

/** Pools kept, at most; a policy has few origins, and a swap may leave old ones behind. */
const POOLS_MAX = 64;
const LIMITS = { head_bytes_max: 32 * 1024, body_bytes_max: ANSWER_BYTES_MAX };
const IDLE_MS = 30_000;
/** Connections to one origin that rest. */
const IDLE_MAX = 1024;
const REFUSALS_MS = 60_000;

/**
 * An HTTP/1.1 client of the gateway's own (docs/decisions/0007), one pool an origin and network.
 * Redirects are never followed: an upstream must not choose who gets the next request. Timeouts are
 * the gateway's, but the one for connecting.
 */
export function createUpstream(log: Log = silentLog, turn = new TurnEnd()): Upstream {
  const onRefused = createRefusals(log);
  const heads = new RequestHeads();
  /** The pool that was used last: most calls in a row go to one origin. */
  let last: (To & { readonly pool: ConnectionPool }) | null = null;
  const pools = new LRUCache<string, ConnectionPool>({
    max: POOLS_MAX,
    // Requests under way end as they would have; an evicted pool is unused or nearly so.
    dispose: (pool) => {
      if (last?.pool === pool) last = null;
      pool.close();
    },
  });

  const poolOf = (origin: string, { network, connect_ms }: Outgoing): ConnectionPool => {
    const same =
      last?.origin === origin && last.network === network && last.connect_ms === connect_ms;
    if (last && same) return last.pool;
    const to = { origin, network, connect_ms };
    const pool = pooled(`${origin} ${network} ${connect_ms}`, to);
    last = { ...to, pool };
    return pool;
  };

  const pooled = (key: string, { origin, network, connect_ms }: To): ConnectionPool => {
    const known = pools.get(key);
    if (known) return known;
    const made = new ConnectionPool({
      origin: new URL(origin),
      dial: createDialer(network, connect_ms),
      limits: LIMITS,
      idle_ms: IDLE_MS,
      idle_max: IDLE_MAX,
      monotonic_ms: () => performance.now(),
      turn,
      onDialError: (error) => {
        if ((error as { code?: unknown }).code === REFUSED_ADDRESS) onRefused(error);
      },
    });
    pools.set(key, made);
    return made;
  };

  return {
    send(request, sink) {
      let made: AddressedHead;
      try {
        made = heads.of(request);
      } catch (thrown) {
        // A provider of ours that encodes for another host is no matter of its upstream.
        if (thrown instanceof GatewayError) throw thrown;
        return refuse(thrown as Error, sink);
      }
      const { origin, head } = made;
      return poolOf(origin, request).send({ head, body: request.body }, sink);
    },
    close() {
      for (const pool of pools.values()) pool.destroy();
      return Promise.resolve();
    },
  };
}

/** What a pool of connections goes to. */
interface To extends Pick<Outgoing, 'network' | 'connect_ms'> {
  readonly origin: string;
}

/** A header or path that HTTP cannot carry. */
function refuse(error: Error, sink: Sink): Sending {
  let aborted = false;
  queueMicrotask(() => {
    if (!aborted) sink.onError(error);
  });
  return {
    abort() {
      aborted = true;
    },
    pause() {},
    resume() {},
  };
}

/** Complains of an address once a minute, however many calls would have gone there. */
function createRefusals(log: Log): (error: Error) => void {
  const told = new LRUCache<string, true>({ max: POOLS_MAX, ttl: REFUSALS_MS });
  return ({ message }) => {
    if (told.has(message)) return;
    told.set(message, true);
    log.error('an upstream is not asked: see `network` in gateway.yaml', { reason: message });
  };
}
