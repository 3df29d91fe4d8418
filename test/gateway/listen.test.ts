import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { assertFree, listen } from '../../src/gateway/listen.ts';
import { freePort } from '../kit/ports.ts';

describe('listen', () => {
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

  test('assertFree leaves a free port free', async () => {
    const port = await freePort();
    await assertFree('127.0.0.1', port, 'HIVE_ADMIN_PORT');
    const server = createServer();
    onTestFinished(async () => void (await once(server.close(), 'close')));
    expect(await listen(server, '127.0.0.1', port)).toBe(port);
  });
});
