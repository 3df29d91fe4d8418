import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { sameJson } from '../../core/canonical.ts';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { Metrics } from '../../core/metrics.ts';
import type { EngineSpec } from '../../core/provider.ts';
import type { ChildReport } from '../../core/state.ts';
import { type Supervised, supervise } from './children.ts';

const PROGRAM = fileURLToPath(new URL('../../engine/main.ts', import.meta.url));

export interface EngineChildDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** The process listens and its models are loaded, or known to fail. */
  onReady(): void;
}

/** What the engine tells: that it listens, and each second how busy its contexts are. */
interface EngineMessage {
  readonly kind?: unknown;
  readonly port?: unknown;
  readonly models?: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

const SLOT_STATES = ['busy', 'idle', 'free'];

function measureLoad(metrics: Metrics, models: NonNullable<EngineMessage['models']>): void {
  for (const [model, load] of Object.entries(models)) {
    for (const state of SLOT_STATES) {
      metrics.set('hive_engine_slots', load[state] ?? 0, [model, state]);
    }
    metrics.set('hive_engine_waiting', load.waiting ?? 0, [model]);
  }
}

/** The embedded engine as the gateway keeps it: running while a provider needs it, else not. */
export interface EngineChild {
  /** The models to serve; a change of them is a new process, and none is no process. */
  follow(specs: Readonly<Record<string, EngineSpec>>): Promise<void>;
  /** Base URL for an embedded provider; empty while the engine is not up. */
  url(provider: string): string;
  report(): ChildReport | null;
  stop(): Promise<void>;
}

export function createEngineChild(deps: EngineChildDeps): EngineChild {
  let specs: Readonly<Record<string, EngineSpec>> = {};
  let child: Supervised | null = null;
  let port = 0;

  const start = (): Supervised =>
    supervise({
      name: 'engine',
      fork: () => {
        port = 0;
        const forked = fork(PROGRAM, [JSON.stringify({ providers: specs, port: 0 })], {
          // One thread computes and little is allocated in JavaScript: larger pools only hold
          // memory.
          env: { ...process.env, UV_THREADPOOL_SIZE: '2' },
          execArgv: ['--max-semi-space-size=2'],
        });
        forked.once('exit', () => {
          port = 0;
        });
        return forked;
      },
      onMessage(message) {
        const { kind, port: ready_port, models } = message as EngineMessage;
        if (kind === 'engine-load') return measureLoad(deps.metrics, models ?? {});
        if (kind !== 'engine-ready' || typeof ready_port !== 'number') return;
        port = ready_port;
        deps.onReady();
      },
      ...deps,
    });

  return {
    async follow(next) {
      if (sameJson(next, specs)) return;
      // A model that is gone has no contexts.
      for (const name of Object.keys(specs)) measureLoad(deps.metrics, { [name]: {} });
      specs = next;
      const old = child;
      child = null;
      port = 0;
      await old?.stop();
      // Another change may have come meanwhile: then that one's process is the only one.
      if (specs === next && Object.keys(next).length > 0) child = start();
    },
    url: (provider) =>
      port === 0 || !Object.hasOwn(specs, provider)
        ? ''
        : `http://127.0.0.1:${port}/${provider}/v1`,
    report: () => child?.report() ?? null,
    async stop() {
      const last = child;
      specs = {};
      child = null;
      port = 0;
      await last?.stop();
    },
  };
}
