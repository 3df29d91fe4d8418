import { GatewayError } from '../../core/errors.ts';
import type { InboundRequest } from './inbound.ts';
import { LaneRequest } from './lane-request.ts';

const HOST = /^(?<name>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;
const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

export type RequestLineCheck = typeof requestLineProblem;

/**
 * The same check, which remembers what passed last: nearly all requests name one host and one path,
 * and to compare them costs a tenth of parsing them.
 */
export function createRequestLineCheck(): RequestLineCheck {
  let host: string | undefined;
  let url: string | undefined;
  let passed_own: string | null = null;
  return (request, own) => {
    const { headers } = request;
    const known = request.url === url && headers.host === host && own === passed_own && host;
    const plain = request.httpVersion === '1.1' && headers['transfer-encoding'] === undefined;
    const ofPage = headers['sec-fetch-site'] !== undefined || headers.origin !== undefined;
    if (known && plain && !ofPage && twofold(request) === null) return null;
    const problem = requestLineProblem(request, own);
    if (problem !== null) return problem;
    host = request.headers.host;
    url = request.url;
    passed_own = own;
    return null;
  };
}

/**
 * What is wrong with a request's Host header or target, or null. Checked on the raw server before
 * any routing: adapters rebuild a URL of the two, so a crafted one could change the path that a
 * router sees; and a Host that is not ours is a page in a browser that was bound to our address.
 * With `own` null any name will do: where every caller needs a key, such a page has none.
 */
export function requestLineProblem(
  request: InboundRequest,
  own: string | null,
): GatewayError | null {
  const { host } = request.headers;
  const twice = twofold(request);
  const name =
    host === undefined || twice === 'host'
      ? undefined
      : HOST.exec(host)?.groups?.name?.toLowerCase();
  if (name === undefined) {
    return new GatewayError('invalid_host', 'The Host header is missing or malformed.', {
      param: 'host',
    });
  }
  if (own !== null && !isOurs(name, own.toLowerCase())) {
    return new GatewayError('invalid_host', 'This gateway is not known by the Host header given.', {
      param: 'host',
    });
  }
  if (twice !== null) {
    return new GatewayError('bad_request', `Two ${twice} headers differ: send one.`, {
      param: twice,
    });
  }
  const framing = framingProblem(request);
  if (framing !== null) return new GatewayError('bad_request', framing, { param: 'framing' });
  if (!isPlainTarget(request.url ?? '')) {
    return new GatewayError('bad_request', 'The request path is malformed.', { param: 'path' });
  }
  if (own !== null && isForged(request)) {
    return new GatewayError('forbidden', 'A page of another site must send application/json.', {
      param: 'content-type',
    });
  }
  return null;
}

/** What Node's parser lets through though nobody here decodes it (RFC 9112 §2.3, §6.1). */
function framingProblem({ httpVersion, headers }: InboundRequest): string | null {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return 'Only HTTP/1.1 is spoken here.';
  const coding = headers['transfer-encoding'];
  if (coding === undefined) return null;
  if (httpVersion === '1.0') return 'HTTP/1.0 has no transfer codings.';
  return coding.toLowerCase() === 'chunked' ? null : 'No transfer coding is known but chunked.';
}

/**
 * What may come once only, and came twice: Node keeps the first, and whoever stands before us may
 * have gone by the other.
 */
function twofold(request: InboundRequest): 'host' | 'authorization' | null {
  // In the lane each name comes once.
  if (request instanceof LaneRequest) return null;
  const { rawHeaders } = request;
  let hosts = 0;
  let credentials: string | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') {
      hosts += 1;
      if (hosts > 1) return 'host';
    } else if (name.length === 13 && name.toLowerCase() === 'authorization') {
      if (credentials !== undefined && credentials !== rawHeaders[at + 1]) return 'authorization';
      credentials = rawHeaders[at + 1];
    }
  }
  return null;
}

/**
 * What a foreign page can make a browser send without asking first: it would spend money here, and
 * rate answers, though it could not read ours. Anything but JSON says so; JSON a browser asks for.
 * A page at another port of this machine is foreign too; old browsers tell only its origin.
 */
function isForged({ method, headers }: InboundRequest): boolean {
  if (method !== 'POST' || /^application\/json\b/i.test(headers['content-type'] ?? ''))
    return false;
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const { origin, host } = headers;
  return origin !== undefined && origin.toLowerCase() !== `http://${host?.toLowerCase()}`;
}

function isOurs(name: string, own: string): boolean {
  return LOOPBACK.has(name) || name === own || name === `[${own}]`;
}

function isPlainTarget(target: string): boolean {
  if (!/^\/[\x21-\x7e]*$/.test(target) || target.includes('#')) return false;
  // The name of a model may hold a slash, and clients encode it; nothing is routed by it.
  const path = pathOf(target).replace(MODEL_NAME, (name) => name.replaceAll(/%2f/gi, '~'));
  if (path.includes('//') || path.includes('\\') || /%(?:2f|5c|2e|00)/i.test(path)) return false;
  return !path.split('/').some((segment) => segment === '.' || segment === '..');
}

const MODEL_NAME = /(?<=^\/v1\/models\/).*$/;

/** The target's path, without the query. */
export function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}
