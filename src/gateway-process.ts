import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import packageJson from '../package.json' with { type: 'json' };
import { openClockFile } from './config/clock-file.ts';
import { type Environment, readEnvironment } from './config/env.ts';
import { createHostFactory, type HostFactory } from './config/hosts.ts';
import { adminHost } from './config/loopback.ts';
import { createProcessLog, readLogLevel } from './config/process-log.ts';
import { watchProcess } from './config/process-metrics.ts';
import { openSecretFile } from './config/secret-file.ts';
import { type Clock, createClock } from './core/clock.ts';
import { messageOf } from './core/errors.ts';
import type { Log } from './core/log.ts';
import { createMetrics, type Metrics } from './core/metrics.ts';
import type { PromptSample } from './core/prompt/sample.ts';
import type { Bus } from './events/bus.ts';
import { openJournal } from './events/journal.ts';
import { createGateway, type Gateway } from './gateway/app.ts';
import { createPermits, type Permits } from './gateway/canary/permits.ts';
import { createCapture } from './gateway/capture.ts';
import { createRecentCalls } from './gateway/conversation/recent.ts';
import {
  createResponseOwners,
  type ResponseOwner,
  type ResponseOwners,
} from './gateway/conversation/response-owners.ts';
import { createFeedback } from './gateway/feedback/feedback.ts';
import { listen } from './gateway/front/listen.ts';
import { memoryShare } from './gateway/pressure.ts';
import { banner } from './gateway/processes/banner.ts';
import { createFeeds, type Feeds } from './gateway/processes/feeds.ts';
import { createFollower, type Follower } from './gateway/processes/follower.ts';
import { createHints } from './gateway/processes/hints.ts';
import type { FromGatewayProcess, ToGatewayProcess } from './gateway/processes/process-messages.ts';
import { createReporter, type Reporter, type ReporterDeps } from './gateway/processes/report.ts';
import { stopOnSignals } from './gateway/processes/stop-signals.ts';
import { compileRehearsal } from './gateway/rehearsal/compile.ts';
import { gates } from './oracle/gates/index.ts';
import { plugins } from './plugins/index.ts';
import { providers } from './providers/index.ts';

/**
 * One gateway: all that serves calls. With one worker it lives in the process of `main.ts`, which
 * also keeps the children; with more, this file is run once for each, and what concerns all of them
 * comes from the parent and goes there.
 */
const RECENT_CALLS_MAX = 100_000;
/** Clients are given so long to use a connection once more, and to learn that it closes. */
const QUIET_MS = { alone: 300, handed_over: 2000 };

/**
 * What a call leaves in the old generation is garbage within seconds, and the live heap is small:
 * V8's default of growing it fourfold before it collects held 300 MB where 200 do, for a tenth of
 * the CPU.
 */
const HEAP_GROWING_PERCENT = 80;

/** What every part of the gateway is made of. */
export interface Ground {
  readonly environment: Environment;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** This boot's name in the journal. */
  readonly writer: string;
}

/** What a gateway needs of the processes around it. */
export interface Surroundings {
  engineUrl(provider: string): string;
  /** The journal has grown. */
  onHint(): void;
  /** A call was kept as a sample, for the worker to store. */
  onSample(sample: PromptSample): void;
  /** A response was made here, for the processes beside this one to know; there may be none. */
  onResponse?(id: string, owner: ResponseOwner): void;
}

export interface Parts {
  readonly ground: Ground;
  readonly bus: Bus;
  readonly permits: Permits;
  readonly feeds: Feeds;
  readonly follower: Follower;
  readonly gateway: Gateway;
  readonly owners: ResponseOwners;
  /** No longer ready; then its calls end. `handed_over`: others listen on its port. */
  stopCalls(handed_over: boolean): Promise<void>;
  /** Then what calls were written to. */
  close(): Promise<void>;
}

/** Before anything is allocated that matters. */
export function tuneHeap(): void {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`);
  // A call that waits lives long, as hundreds of open streams do. V8 would learn from those to put
  // what belongs to any call among the old objects at once, where each dead call keeps parts of the
  // next: four marks a second, and calls half as dear again, for as long as the process lives.
  setFlagsFromString('--no-allocation-site-pretenuring');
}

function hostsOf({ clock }: Ground, around: Surroundings, feeds: Feeds): HostFactory {
  return createHostFactory({
    clock,
    engineUrl: (provider) => around.engineUrl(provider),
    routes: (agent) => feeds.routes(agent),
  });
}

/** Everything that serves calls; it does not listen yet. */
export async function assemble(ground: Ground, around: Surroundings): Promise<Parts> {
  const { environment, clock } = ground;
  const { data_dir, bus_max, stop_ms } = environment;
  const policy_ms = (): number => clock.policy_ms();
  const bus = await openJournal({
    ...ground,
    dir: join(data_dir, 'journal'),
    waiting_max: bus_max,
    policy_ms,
    onFlushed: createHints(() => around.onHint(), clock),
  });
  const feeds = createFeeds();
  const hosts = hostsOf(ground, around, feeds);
  const permits = createPermits({
    ...ground,
    bus,
    triggers: () => policy().oracle.safety.rollback,
  });
  const known = { plugins, providers, gates: [...gates.keys()] };
  const follower = createFollower({ ...ground, ...known, hosts, data_dir, bus, permits });
  const policy = () => follower.current.snapshot.policy;
  const watch = watchProcess(ground.metrics, 'gateway');
  const recent = createRecentCalls({ max: RECENT_CALLS_MAX, policy_ms });
  const owners = createResponseOwners(recent, (id, owner) => around.onResponse?.(id, owner));
  const secret = openSecretFile(data_dir);
  const feedback = createFeedback({ ...ground, bus, recent, permits, secret, policy });
  const rehearsed = () => compileRehearsal({ clock, plugins, providers }, follower.loaded());
  let serving = true;
  const gateway = createGateway({
    ...ground,
    current: follower.current,
    bus,
    permits,
    recent,
    owners,
    secret,
    policyError: () => follower.policyError(),
    ready: () => serving,
    feedbackHeader: feedback.header,
    feedbackRoutes: feedback.app,
    capture: createCapture({ ...ground, send: (sample) => around.onSample(sample) }),
    ...(environment.rehearsals ? { rehearsed } : {}),
    memoryShare: memoryShare(ground.environment.workers),
    random: Math.random,
  });
  return {
    ground,
    bus,
    feeds,
    permits,
    follower,
    gateway,
    owners,
    async stopCalls(handed_over) {
      serving = false;
      // First: a stop takes longer than a permit lives, and must not look like an expiry.
      permits.close();
      const quiet_ms = handed_over ? QUIET_MS.handed_over : QUIET_MS.alone;
      await gateway.close({ deadline_ms: stop_ms, quiet_ms, handed_over });
    },
    async close() {
      watch.close();
      await follower.close();
      await bus.close();
    },
  };
}

/** Tells each second how this gateway is. */
export function reportOn(
  { ground, follower, permits, gateway }: Parts,
  told: Pick<ReporterDeps, 'children' | 'send'>,
): Reporter {
  return createReporter({
    ...ground,
    ...told,
    current: follower.current,
    permits,
    policyError: () => follower.policyError(),
    frozen: () => follower.control().frozen,
    callsOpen: () => gateway.callsOpen(),
    targets: () => gateway.liveTargets(),
    plugins: () => gateway.livePlugins(),
  });
}

/** Where the product answers; the admin API's port is null while it is not up. */
export interface Ports {
  readonly port: number;
  readonly admin_port: number | null;
}

export function printBanner({ ground, follower, gateway }: Parts, { port, admin_port }: Ports) {
  const { host, data_dir, time_scale, overrides } = ground.environment;
  const live = Object.entries(gateway.liveTargets());
  const text = banner({
    product_version: packageJson.version,
    gateway_url: `http://${host}:${port}`,
    admin_url: admin_port === null ? null : `http://${adminHost(host)}:${admin_port}`,
    data_dir,
    snapshot: follower.current.snapshot,
    live: live.filter(([, { breaker }]) => breaker !== 'absent').map(([name]) => name),
    time_scale,
    remarks: [
      ...overrides.map(({ variable, value, pointer }) => `${variable}=${value} sets ${pointer}`),
      ...follower.loaded().notices,
    ],
  });
  process.stdout.write(`${text}\n`);
}

/** One of several: told by the parent what to serve, and when. */
async function run(writer: string): Promise<void> {
  tuneHeap();
  const log = createProcessLog('gateway', readLogLevel(process.env.HIVE_LOG_LEVEL));
  const environment = readEnvironment(process.env);
  const { data_dir, time_scale, host, port } = environment;
  const clock = createClock(openClockFile(data_dir, time_scale, Date.now()));
  let engines: Readonly<Record<string, string>> = {};
  const parts = await assemble(
    { environment, clock, log, metrics: createMetrics(), writer },
    {
      engineUrl: (name) => engines[name] ?? '',
      onHint: () => tell({ kind: 'hint' }),
      onSample: (sample) => tell({ kind: 'sample', sample }),
      onResponse: (id, owner) => tell({ kind: 'response', id, owner }),
    },
  );
  let served = { port, admin_port: null as number | null };
  let handed_over = false;
  const reporter = reportOn(parts, {
    children: () => ({}),
    send: (report) => tell({ kind: 'report', report }),
  });
  const serve = async (): Promise<void> => {
    served = { ...served, port: await listen(parts.gateway.server, host, port) };
    tell({ kind: 'listening', port: served.port });
  };
  const leave = stopOnSignals(process, {
    signals: ['SIGTERM'],
    log,
    monotonic_ms: () => clock.monotonic_ms(),
    async stop() {
      await parts.stopCalls(handed_over);
      reporter.close();
      // The last calls count as well.
      await told({ kind: 'report', report: reporter.report() });
      await parts.close();
    },
    release: () => {},
  });
  process.on('message', (message: ToGatewayProcess) => {
    if (message.kind === 'state') parts.follower.receive(message.state);
    if (message.kind === 'feed') parts.feeds.receive(message.feed);
    if (message.kind === 'permits') parts.permits.receive(message.permits);
    if (message.kind === 'engines') engines = message.urls;
    if (message.kind === 'response') parts.owners.heard(message.id, message.owner);
    if (message.kind === 'serve') serve().catch(fail);
    if (message.kind === 'banner') printBanner(parts, { ...served, ...message });
    if (message.kind !== 'handed-over') return;
    handed_over = true;
    leave();
  });
  tell({ kind: 'assembled' });
}

function tell(message: FromGatewayProcess): void {
  void told(message);
}

/** Resolves when the parent has it, or is not there to have it. */
function told(message: FromGatewayProcess): Promise<void> {
  return new Promise((resolve) => {
    if (!process.connected || !process.send) resolve();
    else process.send(message, () => resolve());
  });
}

function fail(error: unknown): void {
  process.stderr.write(`A gateway process cannot start: ${messageOf(error)}\n`);
  process.exit(1);
}

if (import.meta.main) {
  // They reach the whole group of a terminal; the parent then says in order what to do.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
  run(process.argv[2] ?? '').catch(fail);
}
