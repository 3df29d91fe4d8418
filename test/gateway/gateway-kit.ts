import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Hono } from 'hono';
import OpenAI from 'openai';
import { type Current, createCurrent } from '../../src/config/current.ts';
import type { Snapshot } from '../../src/config/snapshot.ts';
import { createClock } from '../../src/core/clock.ts';
import type { CallEvent } from '../../src/core/event.ts';
import type { Log, LogFields } from '../../src/core/log.ts';
import { createMetrics, type Metrics } from '../../src/core/metrics.ts';
import { createGateway, type Gateway } from '../../src/gateway/app.ts';
import { noPermits } from '../../src/gateway/canary/permits.ts';
import { createRecentCalls } from '../../src/gateway/conversation/recent.ts';
import type { GatewayDeps } from '../../src/gateway/deps.ts';
import { until } from '../kit/until.ts';
import { createMemoryBus, type MemoryBus } from './memory-bus.ts';

/** A gateway on a real socket, with a snapshot made by hand and a bus in memory. */
export interface RunningGateway {
  readonly url: string;
  readonly port: number;
  readonly gateway: Gateway;
  readonly current: Current;
  readonly bus: MemoryBus;
  readonly metrics: Metrics;
  readonly lines: readonly { readonly message: string; readonly fields: LogFields }[];
  readonly client: OpenAI;
  events(): readonly CallEvent[];
  /** The record of the n-th call, from 1; waits for it, since it follows the answer. */
  event(number?: number): Promise<CallEvent>;
  post(body: unknown, headers?: Record<string, string>): Promise<Response>;
  close(): Promise<void>;
}

export async function startGateway(
  snapshot: Snapshot,
  given: Partial<GatewayDeps> = {},
): Promise<RunningGateway> {
  const { bus, lines, deps } = gatewayDeps(snapshot, given);
  const { current, metrics } = deps;
  const gateway = createGateway(deps);
  gateway.server.listen(0, '127.0.0.1');
  await once(gateway.server, 'listening');
  const { port } = gateway.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const events = () => bus.records.filter((record) => record.type === 'call');

  return {
    url,
    port,
    gateway,
    current,
    bus,
    metrics,
    lines,
    client: new OpenAI({ baseURL: `${url}/v1`, apiKey: 'unused', maxRetries: 0 }),
    events,
    event: (number = 1) => until(() => events()[number - 1], { what: `call event ${number}` }),
    post: (body, headers = {}) =>
      fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    close: () => gateway.close(),
  };
}

/** What a gateway is made of, and what it writes to. */
export function gatewayDeps(snapshot: Snapshot, given: Partial<GatewayDeps> = {}) {
  const bus = createMemoryBus();
  const clock = createClock({ origin_ms: 1_700_000_000_000, scale: 1 });
  const lines: { message: string; fields: LogFields }[] = [];
  const write = (message: string, fields: LogFields = {}) => void lines.push({ message, fields });
  const log: Log = { info: write, warn: write, error: write };
  const deps: GatewayDeps = {
    clock,
    log,
    metrics: createMetrics(),
    current: createCurrent(snapshot),
    bus,
    permits: noPermits,
    recent: createRecentCalls({ max: 1000, policy_ms: () => clock.policy_ms() }),
    secret: Buffer.alloc(32, 7),
    environment: { host: '127.0.0.1' },
    policyError: () => null,
    ready: () => true,
    feedbackHeader: { start: () => ({ settled: () => 'pending', done: Promise.resolve() }) },
    feedbackRoutes: new Hono(),
    random: () => 0.5,
    ...given,
  };
  return { bus, lines, deps };
}

/** A call that any upstream answers. */
export function ask(text = 'hello', more: Record<string, unknown> = {}) {
  return { model: 'default', messages: [{ role: 'user' as const, content: text }], ...more };
}
