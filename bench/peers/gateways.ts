import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, freePorts } from '../../test/kit/ports.ts';
import { descendantsOf } from '../../test/kit/processes.ts';
import { REPO } from '../../test/kit/product.ts';
import { proxyServer, startNginx } from './nginx.ts';
import { GATEWAY_CORE, LOAD_CORE, moveChildren, startPinned, untilAnswers } from './pinned.ts';

/** Where calls of one kind go. */
export interface Endpoint {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** One of those compared, running. */
export interface Gateway {
  readonly name: string;
  /** How many of its processes serve calls. */
  readonly workers: number;
  /** Processes whose CPU and memory are its own. */
  readonly pids: readonly number[];
  /** Processes that work for it off the path of a call; told apart. */
  readonly beside: readonly number[];
  /** From the start of its process to its first answer. */
  readonly start_ms: number;
  readonly calls: Endpoint;
  readonly streams: Endpoint;
  end(): Promise<void>;
}

/** The upstreams, by port: one answers whole and at once, the other streams. */
export interface Upstreams {
  readonly whole: number;
  readonly streams: number;
}

export const PATH = '/v1/chat/completions';

/** A second process has no core but the load's. */
const SHARED_CORES = `${GATEWAY_CORE},${LOAD_CORE}`;

const coresFor = (workers: number): string => (workers > 1 ? SHARED_CORES : GATEWAY_CORE);

export async function startNginxGateway(upstreams: Upstreams, workers = 1): Promise<Gateway> {
  const [port, streams] = (await freePorts(2)) as [number, number];
  const servers = [
    proxyServer(port, upstreams.whole, { stream: false }),
    proxyServer(streams, upstreams.streams, { stream: true }),
  ];
  const nginx = await startNginx(coresFor(workers), port, servers, workers);
  return {
    name: 'nginx',
    workers,
    pids: nginx.workers,
    beside: [],
    start_ms: nginx.start_ms,
    calls: { port, path: PATH, headers: {} },
    streams: { port: streams, path: PATH, headers: {} },
    end: () => nginx.end(),
  };
}

const PORTKEY = fileURLToPath(new URL('./portkey', import.meta.url));
const PORTKEY_MAIN = 'node_modules/@portkey-ai/gateway/build/start-server.js';

export function hasPortkey(): boolean {
  return existsSync(join(PORTKEY, PORTKEY_MAIN));
}

export async function startPortkey(upstreams: Upstreams): Promise<Gateway> {
  const port = await freePort();
  const pinned = startPinned({
    name: 'Portkey',
    core: GATEWAY_CORE,
    program: process.execPath,
    args: [PORTKEY_MAIN, `--port=${port}`, '--headless'],
    cwd: PORTKEY,
    env: { NODE_ENV: 'production' },
  });
  const start_ms = await untilAnswers(pinned, `http://127.0.0.1:${port}/`);
  const to = (upstream: number): Endpoint => ({
    port,
    path: PATH,
    headers: {
      authorization: 'Bearer bench',
      'x-portkey-provider': 'openai',
      'x-portkey-custom-host': `http://127.0.0.1:${upstream}/v1`,
    },
  });
  return {
    name: 'portkey',
    workers: 1,
    pids: [pinned.pid],
    beside: [],
    start_ms,
    calls: to(upstreams.whole),
    streams: to(upstreams.streams),
    end: () => pinned.end(),
  };
}

export interface HiveOptions {
  /** The tree that is run; another one where two versions are compared. */
  readonly repo?: string;
  /** Gateway processes. */
  readonly workers?: number;
  /** One process, on the cores that two have. */
  readonly shares_cores?: true;
  /** Kept, and used again: the start of a first boot makes a database. */
  readonly data_dir?: string;
  /** Arguments of Node, such as a profiler's. */
  readonly node_args?: readonly string[];
}

/** The product with its default plugins on, one prompt patch, and its journal and store. */
export async function startHive(
  upstreams: Upstreams,
  {
    repo = process.env.BENCH_REPO ?? REPO,
    workers = 1,
    shares_cores,
    data_dir,
    node_args = [],
  }: HiveOptions = {},
): Promise<Gateway> {
  const dir = mkdtempSync(join(tmpdir(), 'hive-peers-'));
  const policies = join(dir, 'policies');
  layPolicies(policies, upstreams);
  const [port, admin_port] = (await freePorts(2)) as [number, number];
  const pinned = startPinned({
    name: 'the product',
    core: shares_cores ? SHARED_CORES : coresFor(workers),
    program: process.execPath,
    args: ['--max-semi-space-size=16', ...node_args, entryOf(repo)],
    cwd: repo,
    env: {
      HIVE_POLICIES: policies,
      HIVE_DATA: data_dir ?? join(dir, 'data'),
      HIVE_HOST: '127.0.0.1',
      HIVE_PORT: String(port),
      HIVE_ADMIN_PORT: String(admin_port),
      HIVE_WORKERS: String(workers),
    },
  });
  const end = async (): Promise<void> => {
    await pinned.end();
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    const url = `http://127.0.0.1:${port}`;
    const start_ms = await untilAnswers(pinned, `${url}/health`, (status) => status === 200);
    await untilAnswers(pinned, `http://127.0.0.1:${admin_port}/ready`, (status) => status === 200);
    const parts = partChildren(pinned.pid, workers);
    if (!shares_cores && workers === 1) moveChildren(pinned.pid, LOAD_CORE);
    const to = (agent: string): Endpoint => ({
      port,
      path: PATH,
      headers: { 'x-agent-id': agent },
    });
    const calls = to('default');
    return { name: 'hive', workers, ...parts, start_ms, calls, streams: to('streams'), end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** What `npm start` runs; an older tree that is compared has only the other. */
const entryOf = (repo: string): string =>
  ['bin/start.mjs', 'src/main.ts'].find((path) => existsSync(join(repo, path))) ?? '';

/** Several gateway processes are children of one that calls do not pass through. */
function partChildren(pid: number, workers: number): Pick<Gateway, 'pids' | 'beside'> {
  const children = descendantsOf(pid);
  if (workers === 1) return { pids: [pid], beside: children.map((child) => child.pid) };
  const isWorker = (command: string): boolean => command.includes('src/worker.ts');
  return {
    pids: [pid, ...children.filter(({ command }) => !isWorker(command)).map((child) => child.pid)],
    beside: children.filter(({ command }) => isWorker(command)).map((child) => child.pid),
  };
}

/** The same process without the prompt patch: what a body's edit costs. */
export function untouched(hive: Gateway): Gateway {
  return { ...hive, calls: { ...hive.calls, headers: { 'x-agent-id': 'plain' } } };
}

function layPolicies(policies: string, upstreams: Upstreams): void {
  const gateway = `version: 1
providers:
  whole: { use: openai, network: private, base_url: 'http://127.0.0.1:${upstreams.whole}/v1' }
  streams: { use: openai, network: private, base_url: 'http://127.0.0.1:${upstreams.streams}/v1' }
targets:
  answering: { provider: whole, model: mock-1 }
  streaming: { provider: streams, model: mock-1 }
agents:
  default: { targets: [answering], prompt: bench.tone }
  plain: { targets: [answering] }
  streams: { targets: [streaming], prompt: bench.tone }
# Streams are held for ten minutes and more.
resilience: { timeouts: { total_ms: 3600000 } }
plugins:
  - { use: prompt-patcher }
  - { use: lora-hotplug }
  - { use: model-router }
`;
  const prompt = `version: 1
name: bench.tone
versions:
  1:
    ops:
      - { op: system.append, text: Answer briefly and kindly. }
labels: { production: 1 }
`;
  mkdirSync(join(policies, 'prompts'), { recursive: true });
  writeFileSync(join(policies, 'gateway.yaml'), gateway);
  writeFileSync(join(policies, 'oracle_policies.yaml'), 'version: 1\n');
  writeFileSync(join(policies, 'pipeline.yaml'), 'version: 1\n');
  writeFileSync(join(policies, 'prompts', 'bench.tone.yaml'), prompt);
}
