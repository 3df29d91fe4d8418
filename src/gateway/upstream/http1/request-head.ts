import { Latest } from '../../../core/latest.ts';
import { boundOrigin } from '../egress.ts';
import type { Outgoing } from '../upstream.ts';

type Told = Pick<Outgoing, 'base_url' | 'method' | 'path' | 'headers'>;

/** A request's head, and where it goes. */
export interface AddressedHead {
  readonly origin: string;
  /** With its empty line. */
  readonly head: string;
}

interface Kept extends Told {
  readonly origin: string;
  readonly lines: string;
}

/** Heads of few kinds: whole calls and streams, each at some targets. */
const KEPT_MAX = 8;

/**
 * Heads of requests. What a target is asked with is mostly the very same each time, but for the
 * length of the body: then it is put together and looked through once.
 */
export class RequestHeads {
  readonly #latest = new Latest<Kept>(KEPT_MAX);

  /**
   * Host, length and connection are told here and nowhere else. Throws where a name, a value or the
   * path cannot stand in a head, since nothing that is sent may end a line; and where the path
   * would lead to another origin than the provider's.
   */
  of(request: Outgoing): AddressedHead {
    const { origin, lines } = this.#partsOf(request);
    const { method, body } = request;
    if (method !== 'POST' && body.length === 0) return { origin, head: `${lines}\r\n` };
    return { origin, head: `${lines}content-length: ${body.length}\r\n\r\n` };
  }

  #partsOf({ base_url, method, path, headers }: Outgoing): Kept {
    for (const kept of this.#latest.all) {
      const same = kept.headers === headers && kept.path === path;
      if (same && kept.base_url === base_url && kept.method === method) return kept;
    }
    const told = { base_url, method, path, headers };
    const origin = boundOrigin(base_url, path);
    const made = { ...told, origin, lines: linesOf(told, origin) };
    // Headers that may change would no longer be those that were looked through.
    if (Object.isFrozen(headers)) this.#latest.keep(made);
    return made;
  }
}

function linesOf({ method, path, headers }: Told, origin: string): string {
  if (!PATH.test(path)) throw new TypeError('the path of a request is malformed');
  let head = `${method} ${path} HTTP/1.1\r\nhost: ${hostOf(origin)}\r\n`;
  for (const name in headers) {
    const value = headers[name] as string;
    if (!NAME.test(name) || OURS.has(name)) throw new TypeError(`the header ${name} is malformed`);
    if (!VALUE.test(value)) throw new TypeError(`the value of the header ${name} is malformed`);
    head += `${name}: ${value}\r\n`;
  }
  return head;
}

/** The head and its body as one: one write is one packet and one call of the system. */
export function requestBytes(head: string, body: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(head.length + body.length);
  bytes.write(head, 0, 'latin1');
  bytes.set(body, head.length);
  return bytes;
}

const PATH = /^\/[!-~]*$/;
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Visible characters of Latin-1, spaces and tabs. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const OURS: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'upgrade',
  'expect',
]);

/** An origin is a scheme, `://` and the host with its port. */
function hostOf(origin: string): string {
  return origin.slice(origin.indexOf('://') + 3);
}
