import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './ports.ts';
import { until } from './until.ts';

/** What a suite that needs Postgres says when it is skipped. */
export const POSTGRES_INSTALL = 'Postgres is not installed: apt-get install postgresql-15';

export interface TestPostgres {
  /** A new, empty database of its own. */
  fresh(): string;
  /** Ends every connection but keeps the data, as a crash of the server would. */
  restart(): Promise<void>;
  /** Once the server has ended and its folder is gone. */
  stop(): Promise<void>;
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
 * It ends with the process that started it, also where that is killed.
 */
export async function startPostgres(): Promise<TestPostgres> {
  const bin = postgresBin();
  if (bin === null) throw new Error(POSTGRES_INSTALL);
  const dir = mkdtempSync(join(tmpdir(), 'hive-postgres-'));
  const port = await freePort();
  // Postgres refuses to run as root, so root lends the folder to the user that Debian made for it.
  const user = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {};
  if (user.uid !== undefined) chownSync(dir, user.uid, user.gid);
  const run = (program: string, ...args: string[]): void => {
    const done = spawnSync(join(bin, program), args, {
      ...user,
      cwd: dir,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    if (done.status !== 0)
      throw new Error(`${program} failed: ${done.error ?? done.stderr.toString()}`);
  };
  const data = join(dir, 'data');
  const local = ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='];
  const command = [join(bin, 'postgres'), '-D', data, '-p', String(port), ...local];
  const start = () => startGuarded(command, { dir, data, user });
  run('initdb', '-D', data, '-U', 'hive', '--auth=trust', '-E', 'UTF8', '--locale=C.UTF-8');
  let guard = await start();
  let made = 0;
  return {
    fresh() {
      made += 1;
      const name = `hive_${made}`;
      run('createdb', '-h', '127.0.0.1', '-p', String(port), '-U', 'hive', name);
      return `postgres://hive@127.0.0.1:${port}/${name}`;
    },
    async restart() {
      await tell(guard, 'stop');
      guard = await start();
    },
    async stop() {
      await tell(guard, 'stop');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/**
 * Runs the server, and waits for a word or for the end of its input, which comes when nobody holds
 * the other end of the pipe any more. Without a word the folder goes as well.
 */
const GUARD = `dir="$1"; shift
"$@" & server=$!
word=$(head -n 1)
kill -QUIT "$server"; wait "$server"
[ -n "$word" ] || rm -rf "$dir"`;

interface Guarded {
  readonly dir: string;
  readonly data: string;
  readonly user: { readonly uid?: number; readonly gid?: number };
}

/**
 * A server below a shell that holds it. The shell has a process group of its own: what ends ours,
 * such as Ctrl-C or a kill of the group, must not end it before the server.
 */
async function startGuarded(
  command: readonly string[],
  { dir, data, user }: Guarded,
): Promise<ChildProcess> {
  // A file: a server waits where nobody reads what it says, and tests block while they wait.
  const log = openSync(join(dir, 'log'), 'a');
  const guard = spawn('sh', ['-c', GUARD, 'sh', dir, ...command], {
    ...user,
    cwd: dir,
    detached: true,
    stdio: ['pipe', log, log],
  });
  closeSync(log);
  await once(guard, 'spawn');
  const status = join(data, 'postmaster.pid');
  // Its eighth line; a file that a crash has left is replaced before that is written.
  const isReady = () => readFileSync(status, 'utf8').split('\n')[7]?.trim() === 'ready';
  await until(isReady, { deadline_ms: 30_000, what: 'Postgres to start' }).catch(
    async (thrown: unknown) => {
      await tell(guard, 'stop');
      throw new Error(`Postgres: ${readFileSync(join(dir, 'log'), 'utf8')}`, { cause: thrown });
    },
  );
  return guard;
}

async function tell(guard: ChildProcess, word: string): Promise<void> {
  const ended = once(guard, 'exit');
  guard.stdin?.end(`${word}\n`);
  await ended;
}

function idOf(flag: '-u' | '-g'): number {
  return Number(spawnSync('id', [flag, 'postgres']).stdout.toString().trim());
}
