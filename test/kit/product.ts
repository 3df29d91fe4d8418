import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from './ports.ts';
import { descendantsOf, isAlive, type Listed, listProcesses, signal } from './processes.ts';
import { until } from './until.ts';

export const REPO = fileURLToPath(new URL('../../', import.meta.url));

export interface ProductOptions {
  /**
   * Policy files by their path below the policies folder, laid over the shipped ones; or a folder,
   * which is used as it is. The shipped policies by default.
   */
  readonly policies?: string | Readonly<Record<string, string>>;
  /** Further environment variables. Of the test's own only PATH, HOME and TMPDIR are passed on. */
  readonly env?: Readonly<Record<string, string>>;
  /** Kept by `stop`; by default a folder below `dir`. */
  readonly data_dir?: string;
  readonly time_scale?: number;
  readonly args?: readonly string[];
  /** The gateway's and the admin API's; free ones by default. */
  readonly ports?: readonly [number, number];
  /** Until both ports are ready; the first start makes a database. */
  readonly ready_ms?: number;
}

/** The product as a user starts it: its own processes, real ports, a data folder. */
export interface Product {
  readonly gateway_url: string;
  readonly admin_url: string;
  readonly data_dir: string;
  readonly policies_dir: string;
  /** All that it has printed, both streams. */
  output(): string;
  /** How it ended, such as `code 0`; null while it runs. */
  exit(): string | null;
  /** The processes that run now. */
  pids(): Pids;
  /** Sends a signal, SIGKILL by default, to one process that runs, and waits until it has ended. */
  kill(which: keyof Pids, name?: NodeJS.Signals): Promise<number>;
  /** Starts it again on the same ports and data, after the gateway has ended. */
  restart(): Promise<void>;
  /** Ends it in order (SIGTERM), or by force where it does not; its data stay. */
  quit(): Promise<void>;
  /** Ends it likewise, and removes what it made. */
  stop(): Promise<void>;
}

export interface Pids {
  readonly gateway: number | null;
  readonly worker: number | null;
  readonly engine: number | null;
}

interface Running {
  readonly child: ChildProcess;
  output: string;
  exit: string | null;
  /** Children seen so far: once the gateway is killed they are nobody's children any more. */
  known: readonly Listed[];
}

const STOP_MS = 15_000;

export async function startProduct(options: ProductOptions = {}): Promise<Product> {
  const dir = mkdtempSync(join(tmpdir(), 'hive-test-'));
  const policies_dir = layPolicies(dir, options.policies);
  const data_dir = options.data_dir ?? join(dir, 'data');
  const [port, admin_port] = options.ports ?? (await freePorts(2));
  const gateway_url = `http://127.0.0.1:${port}`;
  const admin_url = `http://127.0.0.1:${admin_port}`;
  const env = {
    ...environment({ policies_dir, data_dir, port, admin_port, scale: options.time_scale ?? 1 }),
    ...options.env,
  };

  let running = launch(env, options.args ?? []);
  const ready = async (): Promise<void> => {
    const { ready_ms = 60_000 } = options;
    await untilReady(running, [gateway_url, admin_url], ready_ms);
  };
  const quit = (): Promise<void> => end(running);
  const stop = async (): Promise<void> => {
    await quit();
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await ready();
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    gateway_url,
    admin_url,
    data_dir,
    policies_dir,
    output: () => running.output,
    exit: () => running.exit,
    pids: () => pidsOf(running),
    async kill(which, name = 'SIGKILL') {
      const pid = pidsOf(running)[which];
      if (pid === null) throw new Error(`there is no ${which} to kill:\n${running.output}`);
      signal(pid, name);
      const gone = (): boolean =>
        which === 'gateway'
          ? running.exit !== null
          : listProcesses().every((listed) => listed.pid !== pid);
      await until(gone, { what: `the end of the ${which}` });
      return pid;
    },
    async restart() {
      await until(() => running.exit !== null, {
        what: 'the gateway to end',
        deadline_ms: STOP_MS,
      });
      const before = running.output;
      running = launch(env, options.args ?? []);
      running.output = before;
      await ready();
    },
    quit,
    stop,
  };
}

function layPolicies(dir: string, policies: ProductOptions['policies'] = {}): string {
  if (typeof policies === 'string') return policies;
  const laid = join(dir, 'policies');
  cpSync(join(REPO, 'policies'), laid, { recursive: true });
  // Paths in policies are relative to the folder of policies/.
  symlinkSync(join(REPO, 'models'), join(dir, 'models'));
  for (const [path, text] of Object.entries(policies)) {
    const file = join(laid, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return laid;
}

interface Where {
  readonly policies_dir: string;
  readonly data_dir: string;
  readonly port: number | undefined;
  readonly admin_port: number | undefined;
  readonly scale: number;
}

/** Nothing of the developer's own keys and switches may change what a test sees. */
function environment(where: Where): Record<string, string> {
  const kept = ['PATH', 'HOME', 'TMPDIR'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(kept),
    HIVE_POLICIES: where.policies_dir,
    HIVE_DATA: where.data_dir,
    HIVE_HOST: '127.0.0.1',
    HIVE_PORT: String(where.port),
    HIVE_ADMIN_PORT: String(where.admin_port),
    HIVE_TIME_SCALE: String(where.scale),
  };
}

function launch(env: Record<string, string>, args: readonly string[]): Running {
  const child = spawn(process.execPath, ['bin/start.mjs', ...args], {
    cwd: REPO,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const running: Running = { child, output: '', exit: null, known: [] };
  const keep = (part: Buffer): void => {
    running.output += part.toString('utf8');
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.once('exit', (code, name) => {
    running.exit = name ?? `code ${code}`;
  });
  // A test run that ends early leaves nothing behind: children end when the gateway is gone.
  const killOnExit = (): void => {
    if (running.exit === null) child.kill('SIGKILL');
  };
  process.once('exit', killOnExit);
  child.once('exit', () => process.off('exit', killOnExit));
  return running;
}

async function untilReady(
  running: Running,
  urls: readonly string[],
  deadline_ms: number,
): Promise<void> {
  const allReady = async (): Promise<boolean> => {
    if (running.exit !== null) return true;
    const answers = await Promise.all(urls.map((url) => fetch(`${url}/ready`)));
    const bodies = await Promise.all(answers.map((answer) => answer.text()));
    if (answers.every((answer) => answer.ok)) return true;
    throw new Error(bodies.join(' '));
  };
  try {
    await until(allReady, { what: 'the product to be ready', deadline_ms, every_ms: 50 });
  } catch (error) {
    throw new Error(`${String(error)}\n${running.output}`, { cause: error });
  }
  if (running.exit !== null) {
    throw new Error(`the product ended at its start (${running.exit}):\n${running.output}`);
  }
}

function pidsOf(running: Running): Pids {
  const pid = running.child.pid;
  if (pid === undefined || running.exit !== null) {
    return { gateway: null, worker: null, engine: null };
  }
  const children = descendantsOf(pid);
  running.known = children;
  const pidWith = (part: string): number | null =>
    children.find(({ command }) => command.includes(part))?.pid ?? null;
  return { gateway: pid, worker: pidWith('src/worker.ts'), engine: pidWith('src/engine/main.ts') };
}

async function end(running: Running): Promise<void> {
  const { child } = running;
  if (child.pid === undefined) return;
  const children = [...running.known, ...descendantsOf(child.pid)];
  const gone = (): boolean => running.exit !== null && !children.some(isAlive);
  if (running.exit === null) child.kill('SIGTERM');
  try {
    await until(gone, { what: 'the product to end', deadline_ms: STOP_MS, every_ms: 25 });
  } catch {
    forceEnd(child, children);
    await until(gone, { what: 'the killed product to end', deadline_ms: STOP_MS, every_ms: 25 });
  }
}

function forceEnd(child: ChildProcess, children: readonly Listed[]): void {
  child.kill('SIGKILL');
  for (const one of children.filter(isAlive)) signal(one.pid, 'SIGKILL');
}
