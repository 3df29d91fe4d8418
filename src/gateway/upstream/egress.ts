import { lookup } from 'node:dns';
import { isIP, type Socket } from 'node:net';
import buildConnector from 'undici/lib/core/connect.js';
import { baseUrlOf } from '../../core/base-url.ts';
import { GatewayError } from '../../core/errors.ts';
import { isAllowedAddress, type Network } from '../../core/network.ts';
import { createLookups, type Resolve } from './lookups.ts';

/** The code of an address that a provider may not be at; no provider's own word. */
export const REFUSED_ADDRESS = 'EGRESS_REFUSED';

/** What dialling such an address comes to. Its text is for the log, not for clients. */
function refusedAddress(hostname: string, addresses: readonly string[]): Error {
  const message = `${hostname} is at ${addresses.join(', ')}, where this provider may not be`;
  return Object.assign(new Error(message), { code: REFUSED_ADDRESS });
}

/**
 * Opens connections, and only to addresses that the network allows. The check stands in the dialer,
 * between resolution and connection: the address that was checked is the one that is dialled, so a
 * name that resolves differently the next time gains nothing. Redirects do not reach this far,
 * since nothing follows them.
 */
export function createDialer(
  network: Network,
  connect_ms: number,
  resolve: Resolve = lookup,
): Dialer {
  const ask = createLookups(resolve);
  const settings: buildConnector.BuildOptions = {
    timeout: connect_ms,
    allowH2: false,
    keepAlive: false,
    lookup: (hostname, options, done) => {
      ask(hostname, { ...options, all: true }, (error, found) => {
        if (error) return done(error, [], 0);
        const allowed = found.filter(({ address }) => isAllowedAddress(address, network));
        const [first] = allowed;
        if (!first) {
          const addresses = found.map(({ address }) => address);
          return done(refusedAddress(hostname, addresses), [], 0);
        }
        if (options.all) done(null, allowed);
        else done(null, first.address, first.family);
      });
    },
  };
  const dialSecure = buildConnector(settings);
  // What net.connect takes and undici's types do not know.
  const dialPlain = buildConnector({ ...settings, onread: sharedReads() } as typeof settings);
  return (options, done) => {
    const { hostname, protocol } = options;
    // An address is not looked up, so it is checked here.
    if (isIP(hostname) !== 0 && !isAllowedAddress(hostname, network)) {
      queueMicrotask(() => done(refusedAddress(hostname, [hostname]), null));
      return;
    }
    const dial = protocol === 'https:' ? dialSecure : dialPlain;
    dial(options, (error, socket) => {
      if (error) return done(error, null);
      if (dial === dialPlain) (socket as ReadSocket)[RECEIVER] = null;
      done(null, (socket as Socket).setKeepAlive(PROBES));
    });
  };
}

/**
 * A peer that is gone without a word is noticed within 16 s of silence, also while it is waited
 * for: the system asks it after 10 s whether it is there, and twice more.
 */
const PROBES = { enable: true, initialDelay: 10_000, interval: 2000, count: 3 } as const;

export type Dialer = (
  to: buildConnector.Options,
  done: (...result: [null, Socket] | [Error, null]) => void,
) => void;

/** Who hears what comes on a socket that reads into the shared buffer. */
export const RECEIVER = Symbol('receiver');

export interface ReadSocket extends Socket {
  /** Undefined for one that reads as Node's sockets do; null until somebody asks. */
  [RECEIVER]?: { receive(bytes: Buffer): void } | null;
}

const READ_BYTES = 64 * 1024;

/**
 * All sockets of a dialer read into one buffer: what comes is heard in the very call that has read
 * it, so thousands of streams need no buffers of their own, and Node's streams are not involved.
 */
function sharedReads() {
  return {
    buffer: Buffer.allocUnsafeSlow(READ_BYTES),
    callback(this: ReadSocket, length: number, buffer: Buffer): boolean {
      const receiver = this[RECEIVER];
      if (receiver) receiver.receive(buffer.subarray(0, length));
      // Nobody has asked for anything yet.
      else this.destroy();
      return true;
    },
  };
}

/**
 * One slash, and nothing that a URL parser drops or turns into another: such a path stays at the
 * origin that it is put behind, whoever parses it.
 */
const OWN_PATH = /^\/(?![/\\])[!-~]*$/;

/**
 * The origin that a provider's credentials are bound to: its base URL's scheme, host and port.
 * Throws where the request's path would lead anywhere else, whoever made it.
 */
export function boundOrigin(base_url: string, path: string): string {
  if (OWN_PATH.test(path)) return baseUrlOf(base_url).origin;
  throw new GatewayError('internal', 'A provider encoded a request for another host.');
}
