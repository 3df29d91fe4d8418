import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { assertFree, listen } from '../../../src/gateway/front/listen.ts';
import { freePort } from '../../kit/ports.ts';

/** How many connections the system lets wait, where it says so. */
const SYSTEM = '/proc/sys/net/core/somaxconn';
const waiting_max = existsSync(SYSTEM) ? Number(readFileSync(SYSTEM, 'utf8')) : 0;

describe('listen', () => {
  test.skipIf(waiting_max < 2000)('listen keeps 1,500 that come at once', async () => {
    const server = createServer((socket) => void socket.resume());
    const port = await listen(server, '127.0.0.1', 0);
    const begun_ms = performance.now();
    // All are sent off in this turn, so none is accepted before the last one knocks.
    const sockets = Array.from({ length: 1500 }, () => connect(port, '127.0.0.1'));
    const took_ms: number[] = [];
    for (const socket of sockets) {
      socket.once('connect', () => took_ms.push(performance.now() - begun_ms));
    }
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    // Who was dropped came back in turns of a second.
    const ordered = took_ms.sort((left, right) => left - right);
    const gaps = ordered.slice(1).map((ms, at) => ms - (ordered[at] as number));
    expect(Math.max(...gaps)).toBeLessThan(700);
    for (const socket of sockets) socket.destroy();
    await once(server.close(), 'close');
  });

  test('listen resolves with the port, also where any free one was asked for', async () => {
    const server = createServer();
    onTestFinished(async () => void (await once(server.close(), 'close')));
    expect(await listen(server, '127.0.0.1', 0)).toBeGreaterThan(0);
  });

  test('a port in use is refused with the address and the variable to set', async () => {
    const server = createServer();
    onTestFinished(async () => void (await once(server.close(), 'close')));
    const port = await listen(server, '127.0.0.1', 0);
    const refused = `127.0.0.1:${port} is in use: stop what listens there, or set HIVE_PORT`;
    await expect(listen(createServer(), '127.0.0.1', port)).rejects.toThrow(refused);
    await expect(assertFree('127.0.0.1', port, 'HIVE_ADMIN_PORT')).rejects.toThrow(
      'set HIVE_ADMIN_PORT to another port',
    );
  });

  test('a host that is none of this machine is refused with the variable to set', async () => {
    await expect(listen(createServer(), 'no-such.invalid', 0)).rejects.toThrow(
      /^no-such\.invalid:0 cannot be listened on \(E[A-Z_]+\): set HIVE_HOST to an address/,
    );
  });

  test('assertFree leaves a free port free', async () => {
    const port = await freePort();
    await assertFree('127.0.0.1', port, 'HIVE_ADMIN_PORT');
    const server = createServer();
    onTestFinished(async () => void (await once(server.close(), 'close')));
    expect(await listen(server, '127.0.0.1', port)).toBe(port);
  });
});
