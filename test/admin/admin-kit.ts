import { request } from 'node:http';
import type { AdminDeps } from '../../src/admin/admin-deps.ts';
import { type Admin, createAdmin } from '../../src/admin/create-admin.ts';
import type { LoadedPolicy } from '../../src/config/snapshot.ts';
import { createClock } from '../../src/core/clock.ts';
import { GatewayError } from '../../src/core/errors.ts';
import { silentLog } from '../../src/core/log.ts';
import { createMetrics } from '../../src/core/metrics.ts';
import type { Policy } from '../../src/core/policy.ts';
import type { GatewayReport } from '../../src/core/state.ts';
import { AT_MS, createLedgerOracle, type LedgerOracle } from './ledger-oracle.ts';

export interface RunningAdmin {
  readonly oracle: LedgerOracle;
  readonly admin: Admin;
  readonly deps: AdminDeps;
  readonly url: string;
  readonly port: number;
}

/** A real server on a free port, over an oracle whose ledger the test can see into. */
export async function startAdmin(more: Partial<AdminDeps> = {}): Promise<RunningAdmin> {
  const oracle = createLedgerOracle();
  const deps: AdminDeps = {
    oracle,
    prompts: noPrompts,
    store: { kind: 'pglite', check: async () => {} },
    report: () => aReport(),
    metrics: createMetrics(),
    log: silentLog,
    clock: createClock({ origin_ms: AT_MS, scale: 60 }),
    host: '127.0.0.1',
    port: 0,
    extras: () => ({
      product_version: '0.1.0',
      gateway_url: 'http://127.0.0.1:8091',
      data_dir: '/data',
      journal_lag_bytes: 12,
      loaded: aLoadedPolicy(),
    }),
    ...more,
  };
  const admin = createAdmin(deps);
  const { port } = await admin.listen();
  return { oracle, admin, deps, port, url: `http://127.0.0.1:${port}` };
}

/** For tests that ask for none; those of prompts bring a real ledger. */
const noPrompts: AdminDeps['prompts'] = {
  list: async () => [],
  show: refused,
  diff: refused,
  label: refused,
  rollback: refused,
  importVersion: refused,
};

async function refused(): Promise<never> {
  throw new GatewayError('not_found', 'There is no prompt here.');
}

export function aReport(more: Partial<GatewayReport> = {}): GatewayReport {
  return {
    version: 'abcdef0123456789',
    epoch: 3,
    at_ms: AT_MS,
    policy_error: null,
    frozen: false,
    calls_open: 2,
    targets: { demo: { breaker: 'closed', in_flight: 1 } },
    withheld: {},
    children: { engine: { state: 'running', pid: 42, restarts: 1 } },
    metrics: createMetrics().snapshot(),
    ...more,
  };
}

function aLoadedPolicy(): LoadedPolicy {
  const agents = {
    helpful_assistant: { targets: { demo: 1 }, adapter: 'none', params: {}, plugins: {} },
  };
  const guard = { use: 'guardrail', on_error: 'skip', budget_ms: 5, options: {} };
  const plugins = { order: ['guard', 'router'], by: { guard, router: { ...guard, use: 'x' } } };
  return {
    // The admin API reads nothing else of a policy, and folds no rows here.
    policy: { agents, plugins } as unknown as Policy,
    contents: {},
    source_sha256: 'ab',
    notices: ['provider openai is absent: OPENAI_API_KEY is not set'],
    origins: new Map(),
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** Node's own client, because `fetch` sets Host and Origin itself. */
export function send(
  port: number,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body?: string | Uint8Array,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

export async function postJson(url: string, path: string, body: unknown): Promise<Response> {
  return fetch(`${url}/api/v1/oracle${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}
