import { createConnection, type Socket } from 'node:net';

/**
 * The client of the stream rows: opens streams over raw sockets and counts their events. Told over
 * IPC `{open: n}` how many there shall be in all, it answers `{streams, events}` to `{count: true}`.
 * Argument: JSON {port, path, headers, body}. Its own process, which ends with its parent.
 */
interface Spec {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const spec = JSON.parse(process.argv[2] ?? '{}') as Spec;
const REQUEST = [
  `POST ${spec.path} HTTP/1.1`,
  'host: 127.0.0.1',
  'content-type: application/json',
  `content-length: ${Buffer.byteLength(spec.body)}`,
  ...Object.entries(spec.headers).map(([name, value]) => `${name}: ${value}`),
  '',
  spec.body,
].join('\r\n');
/** Connections opened at once: more would overrun a listener's backlog. */
const AT_ONCE = 64;
const DATA = Buffer.from('data: ');

let wanted = 0;
let opening = 0;
let events = 0;
let broken = 0;
let status = '';
const open = new Set<Socket>();
const streaming = new Set<Socket>();

function openMore(): void {
  while (opening < AT_ONCE && open.size < wanted) {
    opening += 1;
    openOne();
  }
}

function openOne(): void {
  const socket = createConnection({ port: spec.port, host: '127.0.0.1', noDelay: true });
  open.add(socket);
  let first = true;
  const begun = (): void => {
    if (!first) return;
    first = false;
    opening -= 1;
    openMore();
  };
  socket.on('connect', () => socket.write(REQUEST));
  socket.on('data', (part) => {
    if (first && !part.toString('latin1', 0, 15).includes(' 200')) {
      status = part.toString('latin1', 0, 1200);
      broken += 1;
    }
    streaming.add(socket);
    begun();
    for (let at = part.indexOf(DATA); at >= 0; at = part.indexOf(DATA, at + 6)) events += 1;
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    if (open.delete(socket)) broken += 1;
    streaming.delete(socket);
    begun();
  });
}

process.on('message', (told: { open?: number; count?: true }) => {
  if (told.open !== undefined) {
    wanted = told.open;
    openMore();
    for (const socket of [...open].slice(wanted)) {
      open.delete(socket);
      socket.destroy();
    }
  }
  if (told.count && process.connected) {
    // The parent may have gone meanwhile: then nobody wants to know.
    process.send?.({ streams: streaming.size, events, broken, status }, () => {});
  }
});
process.on('disconnect', () => process.exit(0));
