import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';

/** A DNS server over UDP: it answers what a test says, each time anew, with no time to live. */
export interface NameServer {
  readonly port: number;
  /** Questions that came, as `A name`, oldest first. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/** What a name is: its addresses of both families, or that the server cannot say. */
export type NameAnswer = readonly string[] | 'servfail';

const TYPES: ReadonlyMap<number, 'A' | 'AAAA'> = new Map([
  [1, 'A'],
  [28, 'AAAA'],
]);
const TTL_S = 0;

export async function startNameServer(
  answerOf: (name: string, kind: 'A' | 'AAAA' | null) => NameAnswer,
  at: { readonly host: string; readonly port: number } = { host: '127.0.0.1', port: 0 },
): Promise<NameServer> {
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (message: Buffer, from: RemoteInfo) => {
    const { name, type, end } = questionOf(message);
    const kind = TYPES.get(type);
    asked.push(`${kind ?? type} ${name}`);
    const found = answerOf(name, kind ?? null);
    const failed = found === 'servfail';
    const records = failed ? [] : found.flatMap((address) => recordOf(address, kind));
    const head = Buffer.from(message.subarray(0, 12));
    // An answer, recursion available; SERVFAIL is 2.
    head.writeUInt16BE(failed ? 0x8182 : 0x8180, 2);
    head.writeUInt16BE(records.length, 6);
    head.writeUInt32BE(0, 8);
    socket.send(
      Buffer.concat([head, message.subarray(12, end), ...records]),
      from.port,
      from.address,
    );
  });
  socket.bind(at.port, at.host);
  await once(socket, 'listening');
  return {
    port: socket.address().port,
    asked,
    async close() {
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
}

function questionOf(message: Buffer): {
  readonly name: string;
  readonly type: number;
  readonly end: number;
} {
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.'), type: message.readUInt16BE(at + 1), end: at + 5 };
}

/** One record, of the question's name, where it is of the kind that was asked for. */
function recordOf(address: string, kind: 'A' | 'AAAA' | undefined): readonly Buffer[] {
  const own = address.includes(':') ? 'AAAA' : 'A';
  if (own !== kind) return [];
  const data = own === 'A' ? Buffer.from(address.split('.').map(Number)) : bytesOfV6(address);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(own === 'A' ? 1 : 28, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(TTL_S, 6);
  head.writeUInt16BE(data.length, 10);
  return [Buffer.concat([head, data])];
}

/** `::ffff:127.0.0.1` and the like, as sixteen bytes. */
function bytesOfV6(address: string): Buffer {
  const plain = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, ...parts: string[]) => {
    const hex = parts.slice(0, 4).map((part) => Number(part).toString(16).padStart(2, '0'));
    return `${hex[0]}${hex[1]}:${hex[2]}${hex[3]}`;
  });
  const [before = '', after = ''] = plain.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [left, right] = [groups(before), groups(after)];
  const middle = Array<string>(8 - left.length - right.length).fill('0');
  const all = [...left, ...middle, ...right].map((group) => group.padStart(4, '0'));
  return Buffer.from(all.join(''), 'hex');
}
