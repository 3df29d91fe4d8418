import type { Outgoing } from '../upstream.ts';

type Told = Pick<Outgoing, 'origin' | 'method' | 'path' | 'headers'>;

/** Heads of few kinds: a target's whole calls and its streams, at each of some targets. */
const KEPT_MAX = 8;

/**
 * Heads of requests. What a target is asked with is mostly the very same each time, but for the
 * length of the body: then it is put together and looked through once.
 */
export class RequestHeads {
  readonly #kept: (Told & { readonly lines: string })[] = [];
  #next = 0;

  /**
   * A request's head with its empty line. Host, length and connection are told here and nowhere
   * else. Throws where a name, a value or the path cannot stand in it: nothing that is sent may end
   * a line.
   */
  of(request: Outgoing): string {
    const lines = this.#linesOf(request);
    const { method, body } = request;
    if (method !== 'POST' && body.length === 0) return `${lines}\r\n`;
    return `${lines}content-length: ${body.length}\r\n\r\n`;
  }

  #linesOf({ origin, method, path, headers }: Outgoing): string {
    for (const kept of this.#kept) {
      const same = kept.headers === headers && kept.path === path;
      if (same && kept.origin === origin && kept.method === method) return kept.lines;
    }
    const told = { origin, method, path, headers };
    const lines = linesOf(told);
    // Headers that may change would no longer be those that were looked through.
    if (Object.isFrozen(headers)) {
      this.#kept[this.#next] = { ...told, lines };
      this.#next = (this.#next + 1) % KEPT_MAX;
    }
    return lines;
  }
}

function linesOf({ origin, method, path, headers }: Told): string {
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
