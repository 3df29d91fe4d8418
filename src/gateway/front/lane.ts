import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { LaneConnection, type LaneHost, type LaneState } from './lane-connection.ts';
import type { LaneRequest } from './lane-request.ts';
import { OpenList } from './open-list.ts';
import { createSharedReads } from './shared-reads.ts';

/**
 * Serves plain requests of an HTTP server for a third of what Node's own parser and messages cost,
 * and leaves everything else, whole connections at a time, to it (docs/decisions/0014).
 */
export interface Lane {
  readonly connections: number;
  /** Those on which nothing is under way. */
  closeIdle(): void;
  closeAll(): void;
  /** Ends what looks for slow clients. */
  close(): void;
}

export interface LaneOptions {
  readonly serves: LaneHost['serves'];
  readonly serve: LaneHost['serve'];
  /** What is sent to a client that was too slow; null where its answer has begun. */
  readonly tooSlow: (request: LaneRequest | null) => string;
  /** What is sent to who speaks another protocol. */
  readonly notHttp: () => string;
  readonly limits: {
    readonly headers_ms: number;
    readonly body_ms: number;
    readonly keep_alive_ms: number;
  };
  readonly head_bytes_max: number;
  readonly check_ms: number;
  readonly monotonic_ms: () => number;
  readonly wall_ms: () => number;
}

/** How long a client that was refused may take to go. */
const LINGER_MS = 2000;

/** Puts a lane before a server that does not listen yet. */
export function createLane(server: Server, options: LaneOptions): Lane {
  const { limits, serve, tooSlow, monotonic_ms } = options;
  const connections = new OpenList<LaneConnection>();
  const whole = server.listeners('connection') as ((this: Server, socket: Socket) => void)[];
  server.removeAllListeners('connection');

  const host: LaneHost = {
    head_bytes_max: options.head_bytes_max,
    serves: options.serves,
    serve,
    reads: createSharedReads(),
    handOver(connection, bytes) {
      if (isOtherProtocol(bytes)) {
        connection.refuse(options.notHttp());
        return;
      }
      connections.remove(connection);
      connection.release();
      const { socket } = connection;
      socket.pause();
      socket.unshift(bytes);
      for (const listener of whole) listener.call(server, socket);
      socket.resume();
    },
    closed: (connection) => connections.remove(connection),
    closingLines: createClosingLines(options),
    monotonic_ms,
  };
  server.on('connection', (socket: Socket) => {
    connections.add(new LaneConnection(socket, host));
  });

  const allowed_ms: Readonly<Record<LaneState, number>> = {
    new: limits.headers_ms,
    idle: limits.keep_alive_ms,
    reading: limits.body_ms,
    answering: Number.POSITIVE_INFINITY,
    ending: LINGER_MS,
  };
  const check = (): void => {
    const now_ms = monotonic_ms();
    for (const connection of connections.all()) {
      const { state, since_ms, request, response, socket } = connection;
      if (now_ms - since_ms <= allowed_ms[state]) continue;
      const silent = state === 'idle' || state === 'ending' || response?.headersSent;
      if (silent) socket.destroy();
      else connection.refuse(tooSlow(request));
    }
  };
  const timer = setInterval(check, options.check_ms).unref();

  const destroyAll = (wanted: (state: LaneState) => boolean): void => {
    for (const { state, socket } of connections.all()) if (wanted(state)) socket.destroy();
  };
  return {
    get connections() {
      return connections.count;
    },
    closeIdle: () => destroyAll((state) => state === 'idle' || state === 'new'),
    closeAll: () => destroyAll(() => true),
    close: () => clearInterval(timer),
  };
}

/** Node's parser takes RTSP and ICE as well, and does not say which it was. */
const OTHER_PROTOCOL = / (?:RTSP|ICE)\/[^ ]*$/;

function isOtherProtocol(bytes: Buffer): boolean {
  const end = bytes.indexOf('\r\n');
  return end > 0 && OTHER_PROTOCOL.test(bytes.toString('latin1', Math.max(0, end - 16), end));
}

/** The lines that are the same for all answers of a second. */
function createClosingLines({ limits, wall_ms }: LaneOptions): LaneHost['closingLines'] {
  const rests_s = Math.floor(limits.keep_alive_ms / 1000);
  const kept = `connection: keep-alive\r\nkeep-alive: timeout=${rests_s}\r\n`;
  let second = -1;
  let date = '';
  return (keep_alive) => {
    const now = Math.floor(wall_ms() / 1000);
    if (now !== second) {
      second = now;
      date = `date: ${new Date(now * 1000).toUTCString()}\r\n`;
    }
    return keep_alive ? date + kept : `${date}connection: close\r\n`;
  };
}
