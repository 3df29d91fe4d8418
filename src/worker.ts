import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import packageJson from '../package.json' with { type: 'json' };
import { createAdmin } from './admin/create-admin.ts';
import { openClockFile } from './config/clock-file.ts';
import { readControl, writeControl } from './config/control.ts';
import { type Environment, readEnvironment } from './config/env.ts';
import { followPolicy } from './config/followed-policy.ts';
import { readLastLoaded } from './config/last-loaded.ts';
import { takeLock } from './config/lock.ts';
import { adminHost } from './config/loopback.ts';
import { problemsOf } from './config/problems.ts';
import { createProcessLog, readLogLevel } from './config/process-log.ts';
import { watchProcess } from './config/process-metrics.ts';
import type { LoadedPolicy } from './config/snapshot.ts';
import { type Clock, createClock } from './core/clock.ts';
import { messageOf } from './core/errors.ts';
import { uuidv7 } from './core/ids.ts';
import type { TailBatch } from './core/journal.ts';
import type { Log } from './core/log.ts';
import { createMetrics, type Metrics } from './core/metrics.ts';
import {
  type GatewayReport,
  HEARTBEAT_MS,
  type ToGateway,
  type ToWorker,
  type WriterList,
} from './core/state.ts';
import { heapGrowingFlag } from './core/worker-start.ts';
import type { Bus } from './events/bus.ts';
import { openJournal } from './events/journal.ts';
import { createLiveWriters, type LiveWriters } from './events/live-writers.ts';
import { pruneSegments, writerOf } from './events/segments.ts';
import { createTail, type Tail } from './events/tail.ts';
import { ownCallsFor } from './gateway/own-calls.ts';
import { watchControl } from './gateway/processes/control-watch.ts';
import { createOracle, type OracleDeps, type RunningOracle } from './oracle/create-oracle.ts';
import { detectors } from './oracle/detectors/index.ts';
import { gates } from './oracle/gates/index.ts';
import { mutations } from './oracle/mutations/index.ts';
import { createRouteLearning, type RouteLearning } from './oracle/route-learning.ts';
import { plugins } from './plugins/index.ts';
import { providers } from './providers/index.ts';
import { applyBatch } from './store/apply.ts';
import { forgetCursors, readCursors } from './store/cursors.ts';
import { sql } from './store/drizzle.ts';
import { openStore, type Store } from './store/open.ts';
import { pruneStore } from './store/prune.ts';
import { rowsOf } from './store/rows.ts';
import { createUnitDays, type UnitDays } from './store/unit-days.ts';
import { halfOf } from './store/write-units.ts';

/**
 * The worker's composition root: it owns the store, applies the journal to it, runs the oracle and
 * serves the admin API. It ends itself when its parent is gone; no call needs it.
 */
const STORE_LOCK_WAIT_MS = 10_000;
const PRUNE_EVERY_MS = 3_600_000;
const ROUTES_EVERY_MS = 15_000;
const REJOURNAL_EVERY_MS = 24 * 3_600_000;

/** What every part of the worker is made of. */
interface Ground {
  readonly environment: Environment;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

await run();

async function run(): Promise<void> {
  setFlagsFromString(heapGrowingFlag(0));
  const log = createProcessLog('worker', readLogLevel(process.env.HIVE_LOG_LEVEL));
  try {
    const stop = await startWorker(log);
    const leave = (): void => {
      stop().then(
        () => process.exit(0),
        (error: unknown) => {
          log.error('the worker did not stop in order', { error: messageOf(error) });
          process.exit(1);
        },
      );
    };
    for (const farewell of ['SIGTERM', 'disconnect'] as const) process.once(farewell, leave);
    // Ctrl-C reaches the whole group; the parent then stops us in order.
    process.on('SIGINT', () => {});
    if (!process.connected && process.send) leave();
  } catch (error) {
    log.error('the worker cannot start', { error: messageOf(error) });
    process.exit(1);
  }
}

async function startWorker(log: Log): Promise<() => Promise<void>> {
  const environment = readEnvironment(process.env);
  const { data_dir, database_url, time_scale, policies_dir: dir } = environment;
  const clock = createClock(openClockFile(data_dir, time_scale, Date.now()));
  const ground: Ground = { environment, clock, log, metrics: createMetrics() };
  const waiting = { wait_ms: STORE_LOCK_WAIT_MS, what: `the store of ${data_dir}` };
  const lock = await takeLock(join(data_dir, 'store.lock'), waiting);
  const store = await openStore({ data_dir, database_url, log });
  const writer = `w0-${uuidv7(Date.now())}`;
  const bus = await openBus(ground, writer, () => tail.hint());
  const files = { dir, environment, providers, plugins, gates: [...gates.keys()] };
  const policies = followPolicy(files, log, () => readLastLoaded(data_dir));
  const writers = createLiveWriters(writer, JSON.parse(process.argv[2] ?? '') as WriterList);
  const days = createUnitDays(halfOf);
  const tail = createTail({
    dir: join(data_dir, 'journal'),
    cursors: await readCursors(store.db),
    apply: (batch) => applyAndTell(ground, { store, days }, batch, writers, () => oracle),
    live: (name) => writers.isLive(name),
    metrics: ground.metrics,
    log,
  });
  const control = watchControl({
    first: readControl(data_dir),
    read: () => readControl(data_dir),
    onChange: (changed) => void oracle.reconcileControl(changed).catch(report(log, 'control.json')),
    log,
  });
  const reads = { loaded: () => policies.loaded(), frozen: () => control.control().frozen };
  const lent: Lent = { store, bus, tail, writers, ...reads };
  const routes = createRoutes(ground, lent);
  const oracle = createWorkerOracle(ground, { ...lent, routers: () => routes.reports() });
  const admin = createWorkerAdmin(ground, { ...lent, routes }, oracle);

  tail.start();
  // What was acknowledged before a crash comes before what is decided after it.
  await tail.drain();
  await oracle.reconcileControl(control.control());
  tell({ kind: 'state', state: await oracle.state() });
  tell({ kind: 'permits', permits: await oracle.permits() });
  const { port } = await admin.listen();
  tell({ kind: 'ready', port });
  oracle.start();
  const watch = watchProcess(ground.metrics, 'worker');
  const timers = await keepUp(ground, lent, oracle, routes);

  return async () => {
    for (const timer of timers) clearInterval(timer);
    watch.close();
    control.close();
    policies.close();
    await admin.close();
    await oracle.stop();
    await bus.close();
    await tail.stop();
    await store.close();
    lock.release();
  };
}

/** What is done again and again; a failure is told, and it is tried again by itself. */
async function keepUp(ground: Ground, lent: Lent, oracle: RunningOracle, routes: RouteLearning) {
  const every = (ms: number, what: string, work: () => Promise<unknown>) => {
    const tried = () => work().catch(report(ground.log, what));
    return { timer: setInterval(() => void tried(), ms), tried };
  };
  const routes_ms = Math.max(250, ROUTES_EVERY_MS / ground.environment.time_scale);
  const beat = async () => tell({ kind: 'permits', permits: await oracle.permits() });
  const all = [
    every(HEARTBEAT_MS, 'permits', beat),
    every(routes_ms, 'routes', () => routes.tick()),
    every(REJOURNAL_EVERY_MS, 'the ledger is not kept', () => oracle.rejournal()),
    every(PRUNE_EVERY_MS, 'retention', () => prune(ground, lent)),
  ];
  for (const { tried } of all) await tried();
  return all.map(({ timer }) => timer);
}

function createRoutes({ log, clock }: Ground, { store, loaded }: Lent): RouteLearning {
  return createRouteLearning({
    db: store.db,
    log,
    policy: () => loaded().policy,
    policy_ms: () => clock.policy_ms(),
    publish: (feed) => tell({ kind: 'feed', feed }),
  });
}

/** The admin API, and what it says of the gateway: what the gateway last reported. */
function createWorkerAdmin(
  ground: Ground,
  lent: Lent & { routes: RouteLearning },
  oracle: RunningOracle,
) {
  const { store, tail, writers, loaded, routes } = lent;
  const { host, port, admin_port, data_dir } = ground.environment;
  let heard: GatewayReport | null = null;
  process.on('message', (message: ToWorker) => {
    if (message.kind === 'hint') tail.hint();
    if (message.kind === 'report') heard = message.report;
    if (message.kind === 'writers') writers.follow(message.list);
    if (message.kind === 'sample') oracle.receive(message.sample);
  });
  return createAdmin({
    ...ground,
    oracle,
    prompts: oracle.prompts,
    experiments: oracle.experiments,
    proposals: oracle.proposals,
    followUps: oracle.followUps,
    routers: () => routes.reports(),
    store: { kind: store.kind, check: async () => void (await rowsOf(store.db, sql`select 1`)) },
    report: () => heard,
    host: adminHost(host),
    port: admin_port,
    extras: () => ({
      product_version: packageJson.version,
      gateway_url: `http://${host}:${port}`,
      data_dir,
      journal_lag_bytes: tail.lag_bytes(),
      loaded: loaded(),
    }),
  });
}

function openBus(ground: Ground, writer: string, hint: () => void) {
  return openJournal({
    ...ground,
    dir: join(ground.environment.data_dir, 'journal'),
    writer,
    waiting_max: ground.environment.bus_max,
    policy_ms: () => ground.clock.policy_ms(),
    onFlushed: hint,
  });
}

/**
 * What the gateway reported of itself is told to the oracle before the batch is committed: after a
 * crash it is told again, and both know it already.
 */
async function applyAndTell(
  { metrics, log }: Ground,
  { store, days }: { readonly store: Store; readonly days: UnitDays },
  batch: TailBatch,
  writers: LiveWriters,
  oracle: () => RunningOracle,
): Promise<void> {
  for (const { record } of batch.records) {
    if (record.type === 'canary.withheld') await oracle().onWithheld(record);
  }
  setFlagsFromString(heapGrowingFlag(batch.records.length));
  await applyBatch(store, batch, { metrics, log, days });
  for (const { record, segment } of batch.records) {
    if (record.type !== 'policy.swapped') continue;
    // In force is what the last of the gateway's processes serves.
    const epoch = writers.swapped(writerOf(segment), record.epoch);
    oracle().onSwapped({ ...record, epoch });
  }
}

interface Lent {
  readonly store: Store;
  readonly bus: Bus;
  readonly tail: Tail;
  readonly writers: LiveWriters;
  readonly loaded: () => LoadedPolicy;
  readonly frozen: () => boolean;
}

function createWorkerOracle(ground: Ground, lent: Lent & Pick<OracleDeps, 'routers'>) {
  return createOracle({
    ...ground,
    ...lent,
    problemsOf: (policy) => problemsOf(policy, { providers, plugins, gates: [...gates.keys()] }),
    detectors,
    mutations,
    gates,
    drain: () => lent.tail.drain(),
    ownCalls: ownCallsFor(ground.environment),
    publish: (state) => tell({ kind: 'state', state }),
    publishPermits: (permits) => tell({ kind: 'permits', permits }),
    writeControlWithdrawn(key) {
      const { data_dir } = ground.environment;
      const { withdrawn, ...rest } = readControl(data_dir);
      writeControl(data_dir, { ...rest, withdrawn: [...new Set([...withdrawn, key])] });
    },
  });
}

async function prune({ environment, clock }: Ground, { store, tail, loaded }: Lent): Promise<void> {
  const { events_days } = loaded().policy.store;
  await pruneStore(store, { now_ms: clock.policy_ms(), events_days });
  const dir = join(environment.data_dir, 'journal');
  const gone = await pruneSegments({ dir, cursors: tail.cursors(), wall_ms: clock.wall_ms() });
  await forgetCursors(store.db, gone);
}

function report(log: Log, what: string): (error: unknown) => void {
  return (error) => log.error(what, { error: messageOf(error) });
}

/** Without a gateway nobody listens, and the next whole value says it all again. */
function tell(message: ToGateway): void {
  if (process.connected) process.send?.(message);
}
