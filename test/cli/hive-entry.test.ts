import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { delimiter, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { hive, ROOT } from './cli-kit.ts';

const ENTRY = 'bin/hive.mjs';

/** A Node of the system that cannot run TypeScript, where there is one. */
function oldNode(): string | null {
  const dirs = (process.env.PATH ?? '').split(delimiter).filter((dir) => !/node_modules/.test(dir));
  for (const node of dirs.map((dir) => join(dir, 'node'))) {
    const { stdout, error } = spawnSync(node, ['--version'], { encoding: 'utf8' });
    const major = Number(/^v(\d+)/.exec(stdout ?? '')?.[1]);
    if (error === undefined && major < 24) return node;
  }
  return null;
}

describe('hive.mjs', () => {
  test('hive.mjs runs the command line on the Node that runs it', async () => {
    const ran = await hive(['version', '--json'], { entry: ENTRY });
    expect(JSON.parse(ran.out)).toMatchObject({ hive: packageJson.version, node: process.version });
    expect((await hive(['tikc'], { entry: ENTRY })).code).toBe(2);
  });
});

const old = oldNode();
const where = old === null ? ' (skipped: every Node here is new enough)' : '';

describe.skipIf(old === null)(`hive.mjs on a Node too old for TypeScript${where}`, () => {
  const node = old ?? '';

  test('hive.mjs hands over to the project’s own Node, and its exit code back', async () => {
    const ran = await hive(['version', '--json'], { entry: ENTRY, node });
    expect(JSON.parse(ran.out)).toMatchObject({ hive: packageJson.version, node: process.version });
    expect((await hive(['tikc'], { entry: ENTRY, node })).code).toBe(2);
  });

  test('hive.mjs hands its end on: nothing is left running', async () => {
    const sockets: Socket[] = [];
    const server = createServer(() => {}).on('connection', (socket) => sockets.push(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const args = [join(ROOT, ENTRY), 'status', '--admin', `http://127.0.0.1:${port}`];
    const child = spawn(node, args, { stdio: ['pipe', 'ignore', 'ignore'] });
    await once(server, 'request');
    const ended = once(child, 'exit');
    const dropped = once(sockets[0] as Socket, 'close');
    child.kill('SIGTERM');
    expect(await ended).toEqual([null, 'SIGTERM']);
    // The connection was the child's own child's: it is gone too.
    await dropped;
    server.close();
  });
});
