import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { createMetrics } from '../../../src/core/metrics.ts';
import { clientOf, limitAddresses } from '../../../src/gateway/front/address-limit.ts';
import { portOf } from '../../kit/ports.ts';
import { until } from '../../kit/until.ts';

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

async function open(port: number, host: string): Promise<Socket> {
  const socket = connect(port, host).on('error', () => {});
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

/** An address of this machine that is not loopback; null where it has none. */
const outside = Object.values(networkInterfaces())
  .flat()
  .find((one) => one?.family === 'IPv4' && !one.internal)?.address;

test.skipIf(outside === undefined)(
  'limitAddresses closes what one address opens beyond its number, and counts it',
  async () => {
    const metrics = createMetrics();
    const server = createServer((socket) => socket.on('error', () => {}));
    limitAddresses(server, () => 3, metrics);
    server.listen(0, '0.0.0.0');
    await once(server, 'listening');
    const port = portOf(server);
    const held = [];
    for (let count = 0; count < 3; count += 1) held.push(await open(port, outside as string));
    const beyond = await open(port, outside as string);
    await once(beyond, 'close');
    const refused = metrics.snapshot().hive_connections_refused_total;
    expect(refused).toMatchObject([{ labels: ['address'], value: 1 }]);
    expect(held.some(({ destroyed }) => destroyed)).toBe(false);
    // Who stands on this machine is not counted, and a place that is left is free again.
    const local = [];
    for (let count = 0; count < 6; count += 1) local.push(await open(port, '127.0.0.1'));
    expect(local.some(({ destroyed }) => destroyed)).toBe(false);
    held[0]?.destroy();
    await until(
      async () => {
        const socket = await open(port, outside as string);
        const closed = once(socket, 'close').then(() => false);
        return Promise.race([closed, new Promise((stay) => setTimeout(stay, 20, true))]);
      },
      { what: 'a free place' },
    );
    server.close();
  },
);

test('clientOf takes IPv4 as it is, mapped too, and of IPv6 the network', () => {
  expect(clientOf('192.0.2.7')).toBe('192.0.2.7');
  expect(clientOf('::ffff:192.0.2.7')).toBe('192.0.2.7');
  expect(clientOf('127.0.0.1')).toBe(null);
  expect(clientOf('::ffff:127.0.0.9')).toBe(null);
  expect(clientOf('::1')).toBe(null);
  expect(clientOf('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2');
  expect(clientOf('2001:db8:1:2::6')).toBe('2001:db8:1:2');
  expect(clientOf('2001:db8::6')).toBe('2001:db8:0:0');
  expect(clientOf('fe80::1%eth0')).toBe('fe80:0:0:0');
});

test('clientOf is the same for all addresses of a network, written either way', () => {
  const group = fc.integer({ min: 0, max: 0xffff });
  const groups = (length: number) => fc.array(group, { minLength: length, maxLength: length });
  fc.assert(
    fc.property(groups(4), groups(4), (network, host) => {
      const long = [...network, ...host].map((one) => one.toString(16)).join(':');
      const expected = network.map((one) => one.toString(16)).join(':');
      expect(clientOf(long)).toBe(expected);
      const zeros = long.replace(/(^|:)0(:0)+(:|$)/, '::');
      if (zeros !== '::1') expect(clientOf(zeros)).toBe(expected);
    }),
  );
});
