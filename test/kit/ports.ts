import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';

/** The port of a listening server. */
export function portOf(server: Pick<Server, 'address'>): number {
  return (server.address() as AddressInfo).port;
}

/**
 * Where systems take no ports from for outgoing connections and for who asks for any: a port that
 * was let go is still free when it is wanted, and when it is wanted again.
 */
const PORTS = { from: 20_000, to: 32_000 };
const TRIES = 1000;

/**
 * Ports on 127.0.0.1 that nobody listens on, all different. They are held together and let go
 * together; another process may take one meanwhile, so whoever starts on it must say so when it
 * fails.
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers: Server[] = [];
  for (let tries = 0; servers.length < count; tries += 1) {
    if (tries > TRIES)
      throw new Error(`no ${count} ports are free of ${PORTS.from} to ${PORTS.to}`);
    const server = await listening(randomInt(PORTS.from, PORTS.to));
    if (server !== null) servers.push(server);
  }
  const ports = servers.map(portOf);
  await Promise.all(servers.map(closed));
  return ports;
}

async function listening(port: number): Promise<Server | null> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  return once(server, 'listening').then(
    () => server,
    () => null,
  );
}

const closed = (server: Server): Promise<unknown> => once(server.close(), 'close');

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port as number;
}

/** Whether nobody listens on a port of 127.0.0.1 now. */
export async function isFree(port: number): Promise<boolean> {
  const server = await listening(port);
  if (server === null) return false;
  await closed(server);
  return true;
}
