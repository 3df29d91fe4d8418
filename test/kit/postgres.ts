import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './ports.ts';

/** What a suite that needs Postgres says when it is skipped. */
export const POSTGRES_INSTALL = 'Postgres is not installed: apt-get install postgresql-15';

export interface TestPostgres {
  /** A new, empty database of its own. */
  fresh(): string;
  /** Ends every connection but keeps the data, as a crash of the server would. */
  restart(): void;
  stop(): void;
}

/** The folder of Postgres' programs, or null: Debian keeps them off PATH, by version. */
export function postgresBin(): string | null {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort() : [];
  const candidates = versions.reverse().map((version) => join(root, version, 'bin'));
  const onPath = (process.env.PATH ?? '').split(':');
  return [...candidates, ...onPath].find((bin) => existsSync(join(bin, 'initdb'))) ?? null;
}

/**
 * A private server in the temp folder on a free loopback port; nothing of the machine's is touched.
 */
export async function startPostgres(): Promise<TestPostgres> {
  const bin = postgresBin();
  if (bin === null) throw new Error(POSTGRES_INSTALL);
  const dir = mkdtempSync(join(tmpdir(), 'hive-postgres-'));
  const port = await freePort();
  // Postgres refuses to run as root, so root lends the folder to the user that Debian made for it.
  const asRoot = process.getuid?.() === 0;
  if (asRoot) chownSync(dir, idOf('-u'), idOf('-g'));
  const run = (program: string, ...args: string[]): void => {
    const command = asRoot ? ['runuser', '-u', 'postgres', '--'] : [];
    const [first = '', ...rest] = [...command, join(bin, program), ...args];
    const done = spawnSync(first, rest, { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });
    if (done.status !== 0)
      throw new Error(`${program} failed: ${done.error ?? done.stderr.toString()}`);
  };
  const data = join(dir, 'data');
  const start = (): void => {
    const options = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=`;
    // A log file, since the server would otherwise hold the pipe that spawnSync waits for.
    run('pg_ctl', '-D', data, '-w', '-l', join(dir, 'log'), '-o', options, 'start');
  };
  run('initdb', '-D', data, '-U', 'hive', '--auth=trust', '-E', 'UTF8', '--locale=C.UTF-8');
  start();
  let made = 0;
  return {
    fresh() {
      made += 1;
      const name = `hive_${made}`;
      run('createdb', '-h', '127.0.0.1', '-p', String(port), '-U', 'hive', name);
      return `postgres://hive@127.0.0.1:${port}/${name}`;
    },
    restart() {
      run('pg_ctl', '-D', data, '-m', 'immediate', 'stop');
      start();
    },
    stop() {
      run('pg_ctl', '-D', data, '-m', 'fast', 'stop');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function idOf(flag: '-u' | '-g'): number {
  return Number(spawnSync('id', [flag, 'postgres']).stdout.toString().trim());
}
