import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { isFree } from './ports.ts';
import { POSTGRES_INSTALL, postgresBin, startPostgres } from './postgres.ts';
import { descendantsOf, isAlive, type Listed, signal } from './processes.ts';
import { until } from './until.ts';

/** A process that holds a server, says where it is, and waits. */
const HOLDS = `
  import { startPostgres } from '${new URL('./postgres.ts', import.meta.url).href}';
  const server = await startPostgres();
  console.log(server.fresh());
  setInterval(() => {}, 1000);`;

const started: Listed[] = [];
afterEach(() => {
  for (const one of started.splice(0)) if (isAlive(one)) signal(one.pid, 'SIGKILL');
});

describe.skipIf(postgresBin() === null)(`a test’s Postgres (else: ${POSTGRES_INSTALL})`, () => {
  test('Postgres ends with a process that is killed, and its folder goes', {
    timeout: 60_000,
  }, async () => {
    const holder = spawn(process.execPath, ['--input-type=module', '-e', HOLDS], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(holder.stdout, 'data')) as [Buffer];
    const port = Number(new URL(line.toString().trim()).port);
    expect(await isFree(port)).toBe(false);
    const below = descendantsOf(holder.pid as number);
    started.push(...below);
    const postmaster = below.find(({ command }) => /\/postgres -D /.test(command));
    const dir = / -D (\S+)\/data /.exec(postmaster?.command ?? '')?.[1] ?? '';
    expect(existsSync(dir)).toBe(true);

    const ended = once(holder, 'exit');
    holder.kill('SIGKILL');
    await ended;
    await until(() => below.every((one) => !isAlive(one)), { what: 'the end of Postgres' });
    await until(() => !existsSync(dir), { what: 'its folder to go' });
    expect(await isFree(port)).toBe(true);
  });

  test('Postgres leaves nothing behind when it is stopped, also after a restart', {
    timeout: 60_000,
  }, async () => {
    const before = descendantsOf(process.pid).length;
    const server = await startPostgres();
    const { port } = new URL(server.fresh());
    await server.restart();
    expect(await isFree(Number(port))).toBe(false);
    await server.stop();
    expect(await isFree(Number(port))).toBe(true);
    expect(descendantsOf(process.pid)).toHaveLength(before);
  });
});
