import type { Server, Socket } from 'node:net';
import type { Metrics } from '../../core/metrics.ts';
import { isLoopbackAddress } from '../../core/network.ts';

/**
 * Closes connections of a client address beyond so many at once, so that one machine that opens and
 * holds them leaves places for others. Loopback is nobody's address: proxies of this machine come
 * from there. Also counts what the listener's own limit closes.
 */
export function limitAddresses(server: Server, most: () => number, metrics: Metrics): void {
  const open = new Map<string, number>();
  server.prependListener('connection', (socket: Socket) => {
    const { remoteAddress } = socket;
    const client = remoteAddress === undefined ? null : clientOf(remoteAddress);
    if (client === null) return;
    const others = open.get(client) ?? 0;
    if (others >= most()) {
      metrics.add('hive_connections_refused_total', ['address']);
      socket.destroy();
      return;
    }
    open.set(client, others + 1);
    socket.once('close', () => {
      const left = (open.get(client) ?? 1) - 1;
      if (left > 0) open.set(client, left);
      else open.delete(client);
    });
  });
  server.on('drop', () => metrics.add('hive_connections_refused_total', ['all']));
}

/**
 * Who an address belongs to: of IPv6 the network of 64 bits, since whoever has one has all of its
 * addresses. Null for loopback.
 */
export function clientOf(address: string): string | null {
  if (isLoopbackAddress(address)) return null;
  const v4 = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (v4 !== undefined) return v4;
  const [front = '', back] = address.toLowerCase().split('::');
  const groups = front === '' ? [] : front.split(':');
  const after = back === undefined || back === '' ? [] : back.split(':');
  const zeros = back === undefined ? 0 : Math.max(0, 8 - groups.length - after.length);
  const all = [...groups, ...Array<string>(zeros).fill('0'), ...after];
  return all.slice(0, 4).join(':');
}
