/**
 * The head of a request that the lane serves: the shape in which nearly all calls come.
 */
export interface LaneHead {
  /** The request's target, as it was sent. */
  readonly url: string;
  /** By lower-case name, all but the length; each came once. */
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes of the body. */
  readonly length: number;
}

/** A head, and the text before and after its length's digits. */
interface Read extends LaneHead {
  readonly before: string;
  readonly after: string;
}

/** RFC 9112 §3 and §5, of what it allows only what leaves no room for a second opinion. */
const STRICT =
  /^POST \/[\x21-\x7e]* HTTP\/1\.1(?:\r\n[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*)+$/;
const TARGET_AT = 'POST '.length;
const VERSION = ' HTTP/1.1\r\n';
/** Below 2^53, and far above what any body may have. */
const DIGITS_MAX = 15;
const LENGTH = /^\d{1,15}$/;
/** What changes how a message is framed, or asks for more than an answer. */
const SPECIAL: ReadonlySet<string> = new Set([
  'transfer-encoding',
  'trailer',
  'te',
  'expect',
  'upgrade',
]);

/**
 * The heads of one connection. A client says the same each time but for the length of what it
 * sends: then what was read of its last head holds for this one too.
 */
export class LaneHeads {
  #last: Read | null = null;

  /**
   * Reads a head (without the blank line at its end), given as Latin-1. Null for whatever is not
   * plain: another method or version, a name that comes twice, a length that is no number, any
   * framing but a length, any byte out of place. Null is no verdict: Node's parser has the last
   * word on those, so nothing is accepted here that it would refuse, and two parsers never disagree
   * where a message ends.
   */
  read(text: string): LaneHead | null {
    const last = this.#last;
    if (last !== null) {
      const length = lengthBetween(text, last);
      if (length >= 0) return { url: last.url, headers: last.headers, length };
    }
    this.#last = parse(text);
    return this.#last;
  }
}

/** The length that a head tells which is the last one otherwise; -1 where it is another. */
function lengthBetween(text: string, { before, after }: Read): number {
  const digits_end = text.length - after.length;
  if (digits_end <= before.length || digits_end - before.length > DIGITS_MAX) return -1;
  // Slices are compared at once, what `startsWith` is asked of unit by unit.
  if (text.slice(0, before.length) !== before || text.slice(digits_end) !== after) return -1;
  let length = 0;
  for (let at = before.length; at < digits_end; at += 1) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}

const ZERO = 0x30;

function parse(text: string): Read | null {
  if (!STRICT.test(text)) return null;
  const target_end = text.indexOf(' ', TARGET_AT);
  // Without a prototype it is a table: of an ordinary object V8 makes a kind for each set of names,
  // and drops all code that was made for one when the last of them is collected.
  const headers: Record<string, string> = Object.create(null);
  let length = '';
  let length_at = -1;
  let at = target_end + VERSION.length;
  while (at < text.length) {
    const colon = text.indexOf(':', at);
    const next = text.indexOf('\r\n', colon);
    const end = next < 0 ? text.length : next;
    const name = text.slice(at, colon).toLowerCase();
    const from = valueFrom(text, colon + 1, end);
    const value = text.slice(from, valueTo(text, from, end));
    if (name === 'content-length') {
      if (length_at >= 0) return null;
      length = value;
      length_at = from;
    } else if (SPECIAL.has(name) || headers[name] !== undefined) return null;
    else headers[name] = value;
    at = end + 2;
  }
  const { connection } = headers;
  if (length_at < 0 || !LENGTH.test(length)) return null;
  if (connection !== undefined && connection.toLowerCase() !== 'keep-alive') return null;
  return {
    url: text.slice(TARGET_AT, target_end),
    headers,
    length: Number(length),
    before: text.slice(0, length_at),
    after: text.slice(length_at + length.length),
  };
}

const SPACE = 0x20;
const TAB = 0x09;

/** Where a value begins and ends without the white space around it. */
function valueFrom(text: string, from: number, to: number): number {
  let start = from;
  while (start < to && isBlank(text.charCodeAt(start))) start += 1;
  return start;
}

function valueTo(text: string, from: number, to: number): number {
  let end = to;
  while (end > from && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return end;
}

function isBlank(unit: number): boolean {
  return unit === SPACE || unit === TAB;
}
