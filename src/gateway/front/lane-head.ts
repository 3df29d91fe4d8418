/**
 * The head of a request that the lane serves: the shape in which nearly all calls come.
 */
export interface LaneHead {
  /** The request's target, as it was sent. */
  readonly url: string;
  /** By lower-case name; each came once. */
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes of the body. */
  readonly length: number;
}

/** RFC 9112 §3 and §5, of what it allows only what leaves no room for a second opinion. */
const STRICT =
  /^POST \/[\x21-\x7e]* HTTP\/1\.1(?:\r\n[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*)+$/;
const TARGET_AT = 'POST '.length;
const VERSION = ' HTTP/1.1\r\n';
/** Below 2^53, and far above what any body may have. */
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
 * Reads a head (without the blank line at its end), given as Latin-1. Null for whatever is not
 * plain: another method or version, a name that comes twice, a length that is no number, any
 * framing but a length, any byte out of place. Null is no verdict: Node's parser has the last word
 * on those, so nothing is accepted here that it would refuse, and two parsers never disagree where
 * a message ends.
 */
export function parseLaneHead(text: string): LaneHead | null {
  if (!STRICT.test(text)) return null;
  const target_end = text.indexOf(' ', TARGET_AT);
  const headers: Record<string, string> = {};
  let at = target_end + VERSION.length;
  while (at < text.length) {
    const colon = text.indexOf(':', at);
    const next = text.indexOf('\r\n', colon);
    const end = next < 0 ? text.length : next;
    const name = text.slice(at, colon).toLowerCase();
    if (SPECIAL.has(name) || headers[name] !== undefined) return null;
    headers[name] = valueIn(text, colon + 1, end);
    at = end + 2;
  }
  const { connection, 'content-length': length } = headers;
  if (length === undefined || !LENGTH.test(length)) return null;
  if (connection !== undefined && connection.toLowerCase() !== 'keep-alive') return null;
  return { url: text.slice(TARGET_AT, target_end), headers, length: Number(length) };
}

const SPACE = 0x20;
const TAB = 0x09;

/** Without the white space around it. */
function valueIn(text: string, from: number, to: number): string {
  let [start, end] = [from, to];
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(unit: number): boolean {
  return unit === SPACE || unit === TAB;
}
