import type { UpstreamHeaders } from '../upstream.ts';

/** What an upstream sent that is no HTTP/1.1 response, or is one that cannot be trusted. */
export class BadResponse extends Error {
  readonly code = 'BAD_RESPONSE';
}

export interface ResponseHead {
  readonly status: number;
  readonly headers: UpstreamHeaders;
  /** How the body ends: by its length, in chunks, or with the connection. */
  readonly body: { readonly length: number } | 'chunked' | 'to the end';
  /** Whether another request may follow on the connection, and for how long at most. */
  readonly keep_alive: boolean;
  readonly idle_ms: number | null;
}

/** A field's name as it was written, its colon included, and as it is known. */
interface Name {
  readonly written: string;
  readonly name: string;
}

/**
 * The heads of one connection. An upstream names its fields in one order, and one on the same host
 * sends one head many times within a second: what is as in the last head is not read again.
 */
export class ResponseHeads {
  #text = '';
  #head: ResponseHead | null = null;
  readonly #names: Name[] = [];

  /** Reads a head without its empty line (RFC 9112 §4–6). Throws `BadResponse`. */
  read(text: string): ResponseHead {
    if (this.#head === null || text !== this.#text) {
      this.#head = this.#parse(text);
      this.#text = text;
    }
    return this.#head;
  }

  #parse(text: string): ResponseHead {
    const line = lineEnd(text, 0);
    // One look at all of it, else each part is looked at for what is wrong with it.
    const plain = PLAIN.test(text);
    const status = statusOf(text, line);
    const headers = this.#fields(text, line + 2, plain);
    const http_1_1 = text.charCodeAt(7) === ONE;
    const connection = wordsOf(headers.connection);
    const body = bodyOf(status, headers);
    const closes =
      connection.includes('close') || (!http_1_1 && !connection.includes('keep-alive'));
    return {
      status,
      headers,
      body,
      keep_alive: !closes && body !== 'to the end',
      idle_ms: idleOf(headers['keep-alive']),
    };
  }

  /** Field lines into one object; a name that comes again makes a list of its values. */
  #fields(text: string, begin: number, plain: boolean): UpstreamHeaders {
    const headers: Record<string, string | string[]> = Object.create(null);
    let fields = 0;
    for (let from = begin; from < text.length; ) {
      const end = lineEnd(text, from);
      const { written, name } = this.#nameAt(text, from, end, fields);
      if (!plain && !FIELD_NAME.test(name)) throw new BadResponse('a header line is malformed');
      const value = text.slice(from + written.length, end).trim();
      if (!plain && UNFIT.test(value)) throw new BadResponse(`the header ${name} is malformed`);
      const known = headers[name];
      if (known === undefined) headers[name] = value;
      else if (typeof known === 'string') headers[name] = [known, value];
      else known.push(value);
      fields += 1;
      if (fields > FIELDS_MAX) throw new BadResponse('there are too many headers');
      from = end + 2;
    }
    return headers;
  }

  /** The name of a line; empty where it has none, as a folded one that begins with a space. */
  #nameAt(text: string, from: number, end: number, nth: number): Name {
    const before = this.#names[nth];
    if (before !== undefined && text.startsWith(before.written, from)) return before;
    const colon = text.indexOf(':', from);
    if (colon === -1 || colon > end) return NO_NAME;
    const written = text.slice(from, colon + 1);
    const found = { written, name: written.slice(0, -1).toLowerCase() };
    this.#names[nth] = found;
    return found;
  }
}

const NO_NAME: Name = { written: '', name: '' };

const ONE = 0x31;
const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?: [^\0\n]*)?$/;

function statusOf(text: string, end: number): number {
  const found = STATUS_LINE.exec(text.slice(0, end));
  if (!found) throw new BadResponse('the status line is malformed');
  const status = Number(found[1]);
  if (status < 100) throw new BadResponse(`there is no status ${found[1]}`);
  return status;
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\r\n', from);
  return end === -1 ? text.length : end;
}

const PLAIN = /^[^\0\r\n]*(?:\r\n[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[^\0\r\n]*)*$/;
const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const UNFIT = /[\0\r\n]/;
const FIELDS_MAX = 256;

/**
 * RFC 9112 §6.3. Where a length and chunks are both told, or two lengths, somebody between us reads
 * another message than we do: nothing of it is believed.
 */
function bodyOf(status: number, headers: UpstreamHeaders): ResponseHead['body'] {
  const coding = headers['transfer-encoding'];
  const told = headers['content-length'];
  if (coding !== undefined) {
    if (told !== undefined) throw new BadResponse('the body has a length and a transfer coding');
    if (typeof coding !== 'string' || coding.toLowerCase() !== 'chunked') {
      throw new BadResponse('the transfer coding is not chunked');
    }
  }
  if (status < 200 || status === 204 || status === 304) return { length: 0 };
  if (coding !== undefined) return 'chunked';
  return told === undefined ? 'to the end' : { length: lengthOf(told) };
}

function lengthOf(told: string | readonly string[]): number {
  if (typeof told === 'string' && LENGTH.test(told)) return Number(told);
  // Split at a comma alone: with the blanks around it, a run of them would cost its square.
  const all = typeof told === 'string' ? told.split(',').map((one) => one.trim()) : told;
  const [first = '', ...others] = all;
  if (!LENGTH.test(first) || others.some((other) => other !== first)) {
    throw new BadResponse('the length of the body is malformed');
  }
  return Number(first);
}

const LENGTH = /^\d{1,15}$/;

function wordsOf(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return NONE;
  if (value === 'keep-alive') return KEEP_ALIVE;
  const text = typeof value === 'string' ? value : value.join(',');
  return text
    .toLowerCase()
    .split(',')
    .map((word) => word.trim());
}

const NONE: readonly string[] = [];
/** What nearly all say who say anything. */
const KEEP_ALIVE: readonly string[] = ['keep-alive'];

/** `keep-alive: timeout=5` is when the upstream hangs up; seconds. */
function idleOf(value: string | readonly string[] | undefined): number | null {
  if (value === undefined) return null;
  const seconds = /(?:^|[,\s])timeout=(\d{1,6})/i.exec(String(value))?.[1];
  return seconds === undefined ? null : Number(seconds) * 1000;
}
