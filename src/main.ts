import { fork } from 'node:child_process';
import cluster from 'node:cluster';
import { existsSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openClockFile } from './config/clock-file.ts';
import { makeDataDir } from './config/data-dir.ts';
import { enginesOf } from './config/engines.ts';
import { readEnvironment, type StartFlags } from './config/env.ts';
import { followPolicy } from './config/followed-policy.ts';
import { takeLock } from './config/lock.ts';
import { adminHost } from './config/loopback.ts';
import { createProcessLog, readLogLevel } from './config/process-log.ts';
import type { LoadedPolicy } from './config/snapshot.ts';
import { type JsonObject, sameJson } from './core/canonical.ts';
import { createClock } from './core/clock.ts';
import { GatewayError, messageOf } from './core/errors.ts';
import { uuidv7 } from './core/ids.ts';
import { createMetrics } from './core/metrics.ts';
import type { ChildReport, Feed, Permit, State, ToGateway, WriterList } from './core/state.ts';
import { WORKER_FLAGS, WORKER_NICENESS, WORKER_VARIABLES } from './core/worker-start.ts';
import { assertFree, listen } from './gateway/front/listen.ts';
import { type Supervised, supervise } from './gateway/processes/children.ts';
import { createEngineChild, type EngineChild } from './gateway/processes/engine-child.ts';
import { createGatewayProcesses } from './gateway/processes/gateway-processes.ts';
import { createHints } from './gateway/processes/hints.ts';
import { createReadiness, type Readiness } from './gateway/processes/readiness.ts';
import { stopOnSignals } from './gateway/processes/stop-signals.ts';
import { assemble, type Ground, printBanner, reportOn, tuneHeap } from './gateway-process.ts';
import { gates } from './oracle/gates/index.ts';
import { plugins } from './plugins/index.ts';
import { providers } from './providers/index.ts';

/**
 * The parent's composition root. With one worker the gateway lives in this process; with more, this
 * one keeps the processes that serve and passes on what concerns all of them. The oracle's worker
 * and the engine are children in either case, and no call waits for them.
 */
const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url));
const GATEWAY_PROCESS = fileURLToPath(new URL('./gateway-process.ts', import.meta.url));
const BANNER_WAIT_MS = 15_000;
const FOLLOW_ENGINES_MS = 1000;
const REPORT_MS = 1000;

/** Starts the product and resolves when it serves. Throws one clear message where it cannot. */
export async function start(flags: StartFlags = {}): Promise<void> {
  tuneHeap();
  if (existsSync('.env')) process.loadEnvFile('.env');
  const log = createProcessLog('gateway', readLogLevel(process.env.HIVE_LOG_LEVEL));
  const environment = readEnvironment(process.env, flags);
  const { data_dir, host, port, admin_port, time_scale } = environment;
  makeDataDir(data_dir);
  const what = `the data directory ${data_dir}`;
  const lock = await takeLock(join(data_dir, 'lock'), { wait_ms: 0, what });
  try {
    await assertFree(host, port, 'HIVE_PORT');
    await assertFree(adminHost(host), admin_port, 'HIVE_ADMIN_PORT');
    const clock = createClock(openClockFile(data_dir, time_scale, Date.now()));
    const writer = `g0-${uuidv7(clock.wall_ms())}`;
    const ground: Ground = { environment, clock, log, metrics: createMetrics(), writer };
    const release = (): void => lock.release();
    if (environment.workers === 1) await serveAlone(ground, release);
    else await serveTogether(ground, release);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** The gateway in this process. */
async function serveAlone(ground: Ground, release: () => void): Promise<void> {
  const { environment, clock, writer } = ground;
  const ready = createReadiness();
  const engine = createEngineChild({ ...ground, onReady: () => ready.engineUp() });
  let worker: Supervised | null = null;
  const parts = await assemble(ground, {
    engineUrl: (provider) => engine.url(provider),
    onHint: () => void worker?.send({ kind: 'hint' }),
    onSample: (sample) => void worker?.send({ kind: 'sample', sample }),
  });
  const { follower, permits, gateway } = parts;
  const port = await listen(gateway.server, environment.host, environment.port);
  worker = startWorker(ground, {
    writers: () => ({ names: [writer], at_ms: clock.wall_ms() }),
    onState: (state) => follower.receive(state),
    onPermits: (given) => permits.receive(given),
    onFeed: (feed) => parts.feeds.receive(feed),
    onReady: (admin_port) => ready.workerUp(admin_port),
  });
  const engines = followEngines(ground, engine, ready, () => follower.loaded());
  const reporter = reportOn(parts, {
    children: () => childrenOf(worker, engine),
    send: (report) => void worker?.send({ kind: 'report', report }),
  });
  endOnSignals(ground, release, async () => {
    // Calls first: those that are under way may need the engine.
    await parts.stopCalls(false);
    reporter.close();
    engines.close();
    await Promise.all([worker?.stop(), engine.stop()]);
    await parts.close();
  });
  await ready.settled(BANNER_WAIT_MS);
  printBanner(parts, { port, admin_port: ready.adminPort() });
  keepCompiled();
}

/** The gateway in processes of its own, behind one port. */
async function serveTogether(ground: Ground, release: () => void): Promise<void> {
  const { environment, log, clock } = ground;
  const { policies_dir: dir, workers: count, stop_ms, variables } = environment;
  const ready = createReadiness();
  const names = [...gates.keys()];
  const policy = followPolicy({ dir, environment, providers, plugins, gates: names }, log);
  let worker: Supervised | null = null;
  const processes = createGatewayProcesses({
    ...ground,
    count,
    stop_ms,
    fork(writer) {
      cluster.setupPrimary({ exec: GATEWAY_PROCESS, args: [writer] });
      return cluster.fork(variables).process;
    },
    // Each process spares hints; those of several come between each other.
    onHint: createHints(() => void worker?.send({ kind: 'hint' }), clock),
    onSample: (sample) => void worker?.send({ kind: 'sample', sample }),
    onWriters: (list) => void worker?.send({ kind: 'writers', list }),
  });
  const engine = createEngineChild({
    ...ground,
    onReady() {
      ready.engineUp();
      engines.look();
    },
  });
  const engines = followEngines(
    ground,
    engine,
    ready,
    () => policy.loaded(),
    (urls) => {
      processes.tell({ kind: 'engines', urls });
    },
  );
  const up = Promise.withResolvers<void>();
  endOnSignals(ground, release, async () => {
    // The first process is asked before the last one listens: who stops us by then waits for all.
    await up.promise;
    await processes.stop();
    clearInterval(reporting);
    engines.close();
    policy.close();
    await Promise.all([worker?.stop(), engine.stop()]);
  });
  try {
    await processes.listening();
  } catch (error) {
    await processes.stop();
    throw error;
  }
  worker = startWorker(ground, {
    writers: () => processes.writers(),
    onState: (state) => processes.tell({ kind: 'state', state }),
    onFeed: (feed) => processes.tell({ kind: 'feed', feed }),
    onPermits: (permits) => processes.tell({ kind: 'permits', permits }),
    onReady: (admin_port) => ready.workerUp(admin_port),
  });
  const reporting = setInterval(() => {
    const report = processes.report({ ...processes.children(), ...childrenOf(worker, engine) });
    if (report) worker?.send({ kind: 'report', report });
  }, REPORT_MS);
  up.resolve();
  process.on('SIGHUP', () => void processes.restart());
  await ready.settled(BANNER_WAIT_MS);
  processes.banner(ready.adminPort());
  keepCompiled();
}

interface WorkerOwner {
  writers(): WriterList;
  onState(state: State): void;
  onPermits(permits: readonly Permit[]): void;
  onFeed(feed: Feed): void;
  onReady(admin_port: number): void;
}

function startWorker(ground: Ground, owner: WorkerOwner): Supervised {
  const { variables } = ground.environment;
  const worker = supervise({
    ...ground,
    name: 'worker',
    stop_ms: 10_000,
    // Flags have been folded into the variables, so the worker reads what the gateway read.
    fork: () =>
      fork(WORKER, [JSON.stringify(owner.writers())], {
        env: { ...WORKER_VARIABLES, ...process.env, ...variables },
        execArgv: [...process.execArgv, ...WORKER_FLAGS],
      }),
    onMessage(message) {
      const told = message as ToGateway;
      if (told.kind === 'state') owner.onState(told.state);
      if (told.kind === 'feed') owner.onFeed(told.feed);
      if (told.kind === 'permits') owner.onPermits(told.permits);
      if (told.kind !== 'ready') return;
      worker.standBack(WORKER_NICENESS);
      owner.onReady(told.port);
    },
  });
  return worker;
}

interface EnginesFollowed {
  look(): void;
  close(): void;
}

/** Keeps the engine equal to what the policy needs, and tells where it is when that changes. */
function followEngines(
  { log, environment }: Ground,
  engine: EngineChild,
  ready: Readiness,
  loaded: () => LoadedPolicy,
  onUrls: (urls: Readonly<Record<string, string>>) => void = () => {},
): EnginesFollowed {
  let told: JsonObject = {};
  const look = (): void => {
    const specs = enginesOf(loaded().policy, providers, environment.policies_dir);
    const names = Object.keys(specs);
    if (names.length === 0) ready.engineUp();
    engine.follow(specs).catch((error: unknown) => {
      log.error('the engine cannot be changed', { error: messageOf(error) });
    });
    const urls = Object.fromEntries(names.map((name) => [name, engine.url(name)]));
    if (sameJson(urls, told)) return;
    told = urls;
    onUrls(urls);
  };
  look();
  const timer = setInterval(look, FOLLOW_ENGINES_MS);
  timer.unref();
  return { look, close: () => clearInterval(timer) };
}

function childrenOf(
  worker: Supervised | null,
  engine: EngineChild,
): Readonly<Record<string, ChildReport>> {
  const report = engine.report();
  return {
    ...(worker ? { worker: worker.report() } : {}),
    ...(report ? { engine: report } : {}),
  };
}

/** Flags are the command's: here they would be ignored, and nothing a person types should be. */
function flagsRefused(flag: string): GatewayError {
  const message = `npm start takes no flags; npm run hive -- start ${flag} … does`;
  return new GatewayError('bad_request', message);
}

function endOnSignals(
  { log, clock }: Ground,
  release: () => void,
  stop: () => Promise<void>,
): void {
  stopOnSignals(process, {
    signals: ['SIGTERM', 'SIGINT'],
    log,
    monotonic_ms: () => clock.monotonic_ms(),
    release,
    async stop() {
      await stop();
      release();
    },
  });
}

/** What `bin/start.mjs` let Node cache is written now: a process that is killed writes nothing. */
function keepCompiled(): void {
  flushCompileCache();
}

/** The process that `npm start` runs. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    if (argv.length > 0) throw flagsRefused(argv[0] ?? '');
    await start();
  } catch (error) {
    process.stderr.write(`Liquid Hive cannot start: ${messageOf(error)}\n`);
    process.exit(1);
  }
}

if (import.meta.main) await main(process.argv.slice(2));
