import type { Socket } from 'node:net';
import type { OutboundResponse } from './inbound.ts';
import { LaneHeads } from './lane-head.ts';
import { LaneRequest } from './lane-request.ts';
import { type Answering, LaneResponse } from './lane-response.ts';
import type { SharedReads } from './shared-reads.ts';

/** What all connections of a lane have in common. */
export interface LaneHost {
  readonly head_bytes_max: number;
  /** Whether requests to this target are served here. */
  readonly serves: (url: string) => boolean;
  readonly serve: (request: LaneRequest, response: OutboundResponse) => void;
  readonly reads: SharedReads;
  /** From now on it is Node's parser's, these bytes first. */
  handOver(connection: LaneConnection, bytes: Buffer): void;
  closed(connection: LaneConnection): void;
  readonly closingLines: (keep_alive: boolean) => string;
  readonly monotonic_ms: () => number;
}

/** What a connection is at, and since when: who is too slow is told by it. */
export type LaneState = 'new' | 'idle' | 'reading' | 'answering' | 'ending';

const HEAD_END = Buffer.from('\r\n\r\n');
/** Of requests sent ahead, before the answer to the first: beyond it, nothing more is read. */
const AHEAD_BYTES_MAX = 64 * 1024;

/**
 * One connection of the lane: a request at a time, answered before the next is looked at. The first
 * request that is not plain takes the whole connection over to Node's parser, which keeps it.
 */
export class LaneConnection implements Answering {
  readonly socket: Socket;
  readonly #host: LaneHost;
  readonly #heads = new LaneHeads();
  state: LaneState = 'new';
  since_ms: number;
  #request: LaneRequest | null = null;
  #response: LaneResponse | null = null;
  #ahead: Buffer | null = null;
  readonly #onData = (bytes: Buffer): void => this.#read(bytes);
  readonly #onEnd = (): void => this.#ended();
  readonly #onClose = (): void => this.#closed();
  readonly #next = (): void => this.#beginAhead();
  readonly #onTimeout = (): void => void this.socket.destroy();

  constructor(socket: Socket, host: LaneHost) {
    this.socket = socket;
    this.#host = host;
    this.since_ms = host.monotonic_ms();
    if (host.reads.begin(socket, this.#onData)) socket.resume();
    else socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClose);
    socket.on('timeout', this.#onTimeout);
    // What goes wrong with a connection ends it, and its `close` is what is acted upon.
    socket.on('error', ignore);
  }

  get request(): LaneRequest | null {
    return this.#request;
  }

  get response(): LaneResponse | null {
    return this.#response;
  }

  closingLines(keep_alive: boolean): string {
    return this.#host.closingLines(keep_alive);
  }

  /** Gives the socket up, as it was before. */
  release(): void {
    const { socket } = this;
    this.#host.reads.end(socket);
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.off('close', this.#onClose);
    socket.off('timeout', this.#onTimeout);
    socket.off('error', ignore);
  }

  /** Says in HTTP's own words why it is over, to a client that is given up. */
  refuse(text: string): void {
    const [request, response] = [this.#request, this.#response];
    this.#request = null;
    this.#response = null;
    this.state = 'ending';
    this.since_ms = this.#host.monotonic_ms();
    this.socket.end(text);
    request?.leave();
    response?.close();
  }

  /** The answer is written: when the system has taken it, the connection is free again. */
  ended(response: LaneResponse): void {
    if (this.socket.writableLength === 0) this.#over(response);
    // Behind what still waits.
    else this.socket.write('', () => this.#over(response));
  }

  /** `bytes` are overwritten by what comes next on any connection: what is kept is copied here. */
  #read(bytes: Buffer): void {
    if (this.state === 'ending') return;
    const request = this.#request;
    if (request === null && this.#ahead === null) {
      this.#begin(bytes);
      return;
    }
    const kept = Buffer.from(bytes);
    const rest = request === null || request.complete ? kept : request.push(kept);
    if (request?.complete && this.state === 'reading') this.state = 'answering';
    if (rest === null) return;
    this.#ahead = this.#ahead === null ? rest : Buffer.concat([this.#ahead, rest]);
    if (this.#ahead.length > AHEAD_BYTES_MAX) this.socket.pause();
  }

  #begin(bytes: Buffer): void {
    const host = this.#host;
    const end = bytes.indexOf(HEAD_END);
    const plain = end > 0 && end <= host.head_bytes_max;
    const head = plain ? this.#heads.read(bytes.toString('latin1', 0, end)) : null;
    if (head === null || !host.serves(head.url)) {
      host.handOver(this, Buffer.from(bytes));
      return;
    }
    this.since_ms = host.monotonic_ms();
    const request = new LaneRequest(head, this.socket);
    const response = new LaneResponse(this);
    this.#request = request;
    this.#response = response;
    const body_at = end + HEAD_END.length;
    const kept = body_at < bytes.length ? Buffer.from(bytes.subarray(body_at)) : null;
    this.#ahead = kept === null ? null : request.push(kept);
    this.state = request.complete ? 'answering' : 'reading';
    host.serve(request, response);
  }

  #over(response: LaneResponse): void {
    if (this.#response !== response) return;
    const request = this.#request as LaneRequest;
    this.#request = null;
    this.#response = null;
    const again = response.shouldKeepAlive && request.complete && !this.socket.destroyed;
    this.state = again ? 'idle' : 'ending';
    this.since_ms = this.#host.monotonic_ms();
    if (this.socket.timeout) this.socket.setTimeout(0);
    response.close();
    if (!again) {
      this.socket.destroySoon();
      return;
    }
    // In a turn of its own: a thousand requests sent ahead are no recursion of that depth.
    if (this.#ahead !== null) setImmediate(this.#next);
  }

  #beginAhead(): void {
    const ahead = this.#ahead;
    this.#ahead = null;
    if (ahead === null || this.state !== 'idle') return;
    if (this.socket.isPaused()) this.socket.resume();
    this.#begin(ahead);
  }

  /** Who ends their side has left, as with Node's server: what is under way is given up. */
  #ended(): void {
    if (this.#response !== null && !this.#response.writableEnded) this.socket.destroy();
    else this.socket.end();
  }

  #closed(): void {
    this.state = 'ending';
    this.#host.closed(this);
    this.#request?.leave();
    this.#response?.close();
  }
}

function ignore(): void {}
