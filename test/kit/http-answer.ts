/** One response as its bytes say it, read as strictly as RFC 9112 allows a recipient to be. */
export interface HttpAnswer {
  readonly status: number;
  /** Statuses of the interim responses that came before it. */
  readonly interim: readonly number[];
  /** Names as they were written. */
  readonly headers: readonly (readonly [string, string])[];
  /** Of several, joined by a comma; null where there is none. */
  header(name: string): string | null;
  readonly body: Buffer;
  /** The data of each chunk; empty where the body is not chunked. */
  readonly chunks: readonly Buffer[];
  /** How the end of the body was told. */
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
  readonly json: () => unknown;
}

export interface ReadOptions {
  /** What was asked: a response to HEAD has no body, whatever its headers say. */
  readonly method: string;
  /** Nothing more will come. */
  readonly ended: boolean;
}

/** The next response in `bytes` and what follows it; null where more bytes have to come. */
export interface HttpReading {
  readonly answer: HttpAnswer;
  readonly rest: Buffer;
}

interface Head {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly rest: Buffer;
}

/** Throws where the bytes are no response that every recipient reads alike. */
export function readAnswer(bytes: Buffer, options: ReadOptions): HttpReading | null {
  const interim: number[] = [];
  let head = readHead(bytes);
  while (head !== null && head.status < 200) {
    interim.push(head.status);
    head = readHead(head.rest);
  }
  if (head === null) return null;
  const { status, headers, rest } = head;
  const header = (name: string): string | null => {
    const values = headers.filter(([known]) => known.toLowerCase() === name);
    return values.length === 0 ? null : values.map(([, value]) => value).join(', ');
  };
  const framed = readBody(rest, framingOf(status, header, options.method), header, options.ended);
  if (framed === null) return null;
  const { body, chunks, framing } = framed;
  const json = (): unknown => JSON.parse(body.toString('utf8'));
  return {
    answer: { status, interim, headers, header, body, chunks, framing, json },
    rest: framed.rest,
  };
}

function readHead(bytes: Buffer): Head | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const text = bytes.toString('latin1', 0, end);
  const [line = '', ...fields] = text.split('\r\n');
  const status = /^HTTP\/1\.1 (\d{3}) [\t\x20-\x7e]*$/.exec(line)?.[1];
  if (status === undefined) throw new Error(`no status line: ${JSON.stringify(line)}`);
  const headers = fields.map((field) => {
    const found = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\x20-\x7e]*?)[ \t]*$/.exec(field);
    if (!found) throw new Error(`no header line: ${JSON.stringify(field)}`);
    return [found[1] as string, found[2] as string] as const;
  });
  return { status: Number(status), headers, rest: bytes.subarray(end + 4) };
}

type Header = (name: string) => string | null;

function framingOf(status: number, header: Header, method: string): HttpAnswer['framing'] {
  const coding = header('transfer-encoding');
  const length = header('content-length');
  if (coding !== null && length !== null) throw new Error('a length and a transfer coding');
  if (coding !== null && coding !== 'chunked') throw new Error(`the transfer coding ${coding}`);
  if (length !== null && !/^\d+$/.test(length)) throw new Error(`the length ${length}`);
  if (method === 'HEAD' || status === 204 || status === 304) return 'none';
  if (coding !== null) return 'chunked';
  return length === null ? 'close' : 'length';
}

type Framed = Pick<HttpAnswer, 'body' | 'chunks' | 'framing'> & { readonly rest: Buffer };

function readBody(
  bytes: Buffer,
  framing: HttpAnswer['framing'],
  header: Header,
  ended: boolean,
): Framed | null {
  if (framing === 'chunked') return readChunks(bytes);
  const all = framing === 'close' ? bytes.length : Number(header('content-length') ?? 0);
  const length = framing === 'none' ? 0 : all;
  if (framing === 'close' ? !ended : bytes.length < length) return null;
  const body = bytes.subarray(0, length);
  return { body, chunks: [], framing, rest: bytes.subarray(length) };
}

function readChunks(bytes: Buffer): Framed | null {
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = bytes.indexOf('\r\n', at);
    if (end < 0) return null;
    const size = bytes.toString('latin1', at, end);
    if (!/^[0-9a-f]{1,8}$/i.test(size)) throw new Error(`no size of a chunk: ${size}`);
    const data = end + 2;
    const length = Number.parseInt(size, 16);
    const next = data + length + 2;
    if (bytes.length < next) return null;
    if (bytes.toString('latin1', next - 2, next) !== '\r\n') throw new Error('a chunk too long');
    if (length === 0) {
      const body = Buffer.concat(chunks);
      return { body, chunks, framing: 'chunked', rest: bytes.subarray(next) };
    }
    chunks.push(bytes.subarray(data, data + length));
    at = next;
  }
}
