import { fork } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import packageJson from '../package.json' with { type: 'json' };
import { openClockFile } from './config/clock-file.ts';
import { enginesOf } from './config/engines.ts';
import { type Environment, readEnvironment, type StartFlags } from './config/env.ts';
import { createHostFactory } from './config/hosts.ts';
import { takeLock } from './config/lock.ts';
import { createProcessLog, readLogLevel } from './config/process-log.ts';
import { openSecretFile } from './config/secret-file.ts';
import { type Clock, createClock } from './core/clock.ts';
import { messageOf } from './core/errors.ts';
import { uuidv7 } from './core/ids.ts';
import type { Log } from './core/log.ts';
import { createMetrics, type Metrics } from './core/metrics.ts';
import type { ToGateway, ToWorker } from './core/state.ts';
import type { Bus } from './events/bus.ts';
import { openJournal } from './events/journal.ts';
import { createGateway, type Gateway } from './gateway/app.ts';
import { banner } from './gateway/banner.ts';
import { type Supervised, supervise } from './gateway/children.ts';
import { createEngineChild, type EngineChild } from './gateway/engine-child.ts';
import { createFeedback } from './gateway/feedback.ts';
import { createFollower, type Follower } from './gateway/follower.ts';
import { assertFree, listen } from './gateway/listen.ts';
import { createPermits, type Permits } from './gateway/permits.ts';
import { createReadiness, type Readiness } from './gateway/readiness.ts';
import { createRecentCalls } from './gateway/recent.ts';
import { createReporter } from './gateway/report.ts';
import { gates } from './oracle/gates/index.ts';
import { plugins } from './plugins/index.ts';
import { providers } from './providers/index.ts';

/**
 * The gateway's composition root. It serves as soon as the policy is compiled; the worker and the
 * engine are children that it starts, restarts and ends, and no call waits for either.
 */
const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url));
const RECENT_CALLS_MAX = 100_000;
const BANNER_WAIT_MS = 15_000;
const FOLLOW_ENGINES_MS = 1000;
/**
 * What a call leaves in the old generation is garbage within seconds, and the live heap is small:
 * V8's default of growing it fourfold before it collects held 300 MB where 200 do, for a tenth of
 * the CPU.
 */
const HEAP_GROWING_PERCENT = 80;

/** What every part of the gateway is made of. */
interface Ground {
  readonly environment: Environment;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** This boot's name in the journal. */
  readonly writer: string;
}

interface Parts {
  readonly bus: Bus;
  readonly permits: Permits;
  readonly follower: Follower;
  readonly gateway: Gateway;
}

interface Children {
  readonly worker: Supervised;
  readonly engine: EngineChild;
  stop(): Promise<void>;
}

/** Starts the product and resolves when it serves. Throws one clear message where it cannot. */
export async function start(flags: StartFlags = {}): Promise<void> {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`);
  if (existsSync('.env')) process.loadEnvFile('.env');
  const log = createProcessLog('gateway', readLogLevel(process.env.HIVE_LOG_LEVEL));
  const environment = readEnvironment(process.env, flags);
  const { data_dir, host, port, admin_port, time_scale } = environment;
  mkdirSync(data_dir, { recursive: true, mode: 0o700 });
  const what = `the data directory ${data_dir}`;
  const lock = await takeLock(join(data_dir, 'lock'), { wait_ms: 0, what });
  try {
    await assertFree(host, port, 'HIVE_PORT');
    await assertFree(host, admin_port, 'HIVE_ADMIN_PORT');
    const clock = createClock(openClockFile(data_dir, time_scale, Date.now()));
    const writer = `g0-${uuidv7(clock.wall_ms())}`;
    await serve({ environment, clock, log, metrics: createMetrics(), writer }, () => {
      lock.release();
    });
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function serve(ground: Ground, release: () => void): Promise<void> {
  const { environment, log } = ground;
  const ready = createReadiness();
  let children: Children | null = null;
  const engine = createEngineChild({ ...ground, onReady: () => ready.engineUp() });
  const parts = await assemble(ground, ready, engine, (message) => {
    children?.worker.send(message);
  });
  const port = await listen(parts.gateway.server, environment.host, environment.port);
  children = startChildren(ground, parts, engine, ready);
  stopOnSignals(log, async () => {
    ready.stop();
    // First: a stop takes longer than a permit lives, and must not look like an expiry.
    parts.permits.close();
    await children?.stop();
    await parts.gateway.close();
    await parts.follower.close();
    await parts.bus.close();
    release();
  });
  await ready.settled(BANNER_WAIT_MS);
  process.stdout.write(`${bannerOf(ground, parts, port, ready)}\n`);
}

/** Everything that serves calls, none of it started. */
async function assemble(
  ground: Ground,
  ready: Readiness,
  engine: EngineChild,
  tell: (message: ToWorker) => void,
): Promise<Parts> {
  const { environment, clock, log, metrics, writer } = ground;
  const { data_dir } = environment;
  const policy_ms = (): number => clock.policy_ms();
  const bus = await openJournal({
    dir: join(data_dir, 'journal'),
    writer,
    waiting_max: environment.bus_max,
    policy_ms,
    metrics,
    log,
    onFlushed: () => tell({ kind: 'hint' }),
  });
  const hosts = createHostFactory({ clock, engineUrl: (provider) => engine.url(provider) });
  const permits = createPermits({
    ...ground,
    bus,
    triggers: () => policy().oracle.safety.rollback,
  });
  const follower = createFollower({
    ...ground,
    plugins,
    providers,
    gates: [...gates.keys()],
    hosts,
    data_dir,
    bus,
    permits,
  });
  const policy = () => follower.current.snapshot.policy;
  const recent = createRecentCalls({ max: RECENT_CALLS_MAX, policy_ms });
  const secret = openSecretFile(data_dir);
  const feedback = createFeedback({ ...ground, bus, recent, permits, secret, policy });
  const gateway = createGateway({
    ...ground,
    current: follower.current,
    bus,
    permits,
    recent,
    secret,
    policyError: () => follower.policyError(),
    ready: () => ready.serving(),
    feedbackHeader: feedback.header,
    feedbackRoutes: feedback.app,
    random: Math.random,
  });
  return { bus, permits, follower, gateway };
}

function startChildren(
  ground: Ground,
  parts: Parts,
  engine: EngineChild,
  ready: Readiness,
): Children {
  const { log, environment } = ground;
  const { follower, permits, gateway } = parts;
  const worker = startWorker(ground, parts, ready);
  const followEngines = (): void => {
    const specs = enginesOf(follower.loaded().policy, providers, environment.policies_dir);
    if (Object.keys(specs).length === 0) ready.engineUp();
    engine.follow(specs).catch((error: unknown) => {
      log.error('the engine cannot be changed', { error: messageOf(error) });
    });
  };
  followEngines();
  const following = setInterval(followEngines, FOLLOW_ENGINES_MS);
  following.unref();
  const reporter = createReporter({
    ...ground,
    current: follower.current,
    permits,
    policyError: () => follower.policyError(),
    frozen: () => follower.control().frozen,
    callsOpen: () => gateway.callsOpen(),
    targets: () => gateway.liveTargets(),
    children: () => {
      const report = engine.report();
      return { worker: worker.report(), ...(report ? { engine: report } : {}) };
    },
    send: (report) => void worker.send({ kind: 'report', report }),
  });
  return {
    worker,
    engine,
    async stop() {
      clearInterval(following);
      reporter.close();
      await Promise.all([worker.stop(), engine.stop()]);
    },
  };
}

function startWorker(ground: Ground, { follower, permits }: Parts, ready: Readiness): Supervised {
  const { environment, writer } = ground;
  return supervise({
    ...ground,
    name: 'worker',
    stop_ms: 10_000,
    // Flags have been folded into the variables, so the worker reads what the gateway read.
    fork: () => fork(WORKER, [writer], { env: { ...process.env, ...environment.variables } }),
    onMessage(message) {
      const told = message as ToGateway;
      if (told.kind === 'state') follower.receive(told.state);
      if (told.kind === 'permits') permits.receive(told.permits);
      if (told.kind === 'ready') ready.workerUp(told.port);
    },
  });
}

function bannerOf(ground: Ground, { follower, gateway }: Parts, port: number, ready: Readiness) {
  const { host, data_dir, time_scale, overrides } = ground.environment;
  const admin_port = ready.adminPort();
  const live = Object.entries(gateway.liveTargets());
  return banner({
    product_version: packageJson.version,
    gateway_url: `http://${host}:${port}`,
    admin_url: admin_port === null ? null : `http://${host}:${admin_port}`,
    data_dir,
    snapshot: follower.current.snapshot,
    live: live.filter(([, { breaker }]) => breaker !== 'absent').map(([name]) => name),
    time_scale,
    remarks: [
      ...overrides.map(({ variable, value, pointer }) => `${variable}=${value} sets ${pointer}`),
      ...follower.loaded().notices,
    ],
  });
}

function stopOnSignals(log: Log, stop: () => Promise<void>): void {
  let stopping = false;
  const leave = (): void => {
    if (stopping) return;
    stopping = true;
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error('not stopped in order', { error: messageOf(error) });
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', leave);
  process.on('SIGINT', leave);
}

if (import.meta.main) {
  try {
    await start();
  } catch (error) {
    process.stderr.write(`Liquid Hive cannot start: ${messageOf(error)}\n`);
    process.exit(1);
  }
}
