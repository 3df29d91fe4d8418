import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../core/errors.ts';
import type { Analysis } from '../core/finding.ts';
import type { Plan } from '../core/oracle.ts';
import { createFindingsLog } from './findings-log.ts';
import { type HttpPlace, visitOverHttp } from './http-users.ts';
import type { ChangeRow, FoundRow, TruthRow } from './report.ts';
import type { World } from './scenario.ts';
import { createTraffic, type Visit } from './traffic.ts';

/** The admin API, as far as a simulated person uses it; an answer that is no 2xx throws. */
export interface Admin {
  get(path: string): Promise<unknown>;
  post(path: string, body: unknown): Promise<unknown>;
}

export interface HttpOptions {
  readonly seed: number;
  readonly hours: number;
  readonly url: string;
  readonly admin: Admin;
  readonly fetch: HttpPlace['fetch'];
  /** The gateway's HIVE_TIME_SCALE: a second here is so many of policy time. */
  readonly time_scale: number;
  readonly latency_scale: number;
  /** Visits at once, at most; further ones wait. */
  readonly concurrency: number;
  readonly onProgress?: (share: number) => void;
}

export interface HttpReport {
  readonly world: string;
  readonly seed: number;
  readonly driver: 'http';
  readonly hours: number;
  readonly visits: number;
  readonly calls: number;
  readonly feedback: number;
  readonly satisfied: number;
  readonly errors: number;
  /** Visits that ended without an answer of the gateway, such as a refused connection. */
  readonly unreachable: number;
  /** Why the first of them did, or null. */
  readonly failure: string | null;
  readonly findings: readonly FoundRow[];
  readonly truths: readonly TruthRow[];
  readonly changes: readonly Pick<ChangeRow, 'type' | 'agent' | 'patch' | 'state' | 'reason'>[];
}

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const WINDOW_HOURS = 24;
const API = '/api/v1/oracle';

/**
 * A world lived through against a running gateway, in scaled time: its users call and rate, and at
 * each look a person approves what waits. It ends by itself after `hours` of policy time.
 */
export async function runOverHttp(world: World, options: HttpOptions): Promise<HttpReport> {
  const { scenario, name } = world;
  const { seed, hours, time_scale, latency_scale, concurrency, admin } = options;
  const ending = new AbortController();
  const { url, fetch } = options;
  const place: HttpPlace = { url, fetch, latency_scale, time_scale, signal: ending.signal };
  const log = createFindingsLog({ ...scenario, days: hours / 24 }, WINDOW_HOURS);
  const counts = { visits: 0, calls: 0, feedback: 0, satisfied: 0, errors: 0, unreachable: 0 };
  let failure: string | null = null;
  const running = new Set<Promise<void>>();
  const begun_ms = performance.now();
  const world_ms = (): number => (performance.now() - begun_ms) * time_scale;

  const live = async (visit: Visit): Promise<void> => {
    try {
      const lived = await visitOverHttp(world, visit, place);
      counts.visits += 1;
      counts.calls += lived.calls;
      counts.feedback += lived.rated ? 1 : 0;
      counts.satisfied += lived.satisfied ? 1 : 0;
      counts.errors += lived.error ? 1 : 0;
    } catch (thrown) {
      // Once the run has ended, visits that still wait are let go; they are no failure.
      if (ending.signal.aborted) return;
      counts.unreachable += 1;
      failure ??= messageOf(thrown);
    }
  };
  const traffic = createTraffic(world, seed);
  const tick_ms = scenario.tick_minutes * MINUTE_MS;
  const end_ms = hours * HOUR_MS;
  for (let t_ms = tick_ms; t_ms <= end_ms; t_ms += tick_ms) {
    for (const visit of traffic.before(t_ms)) {
      const early_ms = (visit.t_ms - world_ms()) / time_scale;
      if (early_ms > 1) await pause(early_ms);
      while (running.size >= concurrency) await Promise.race(running);
      const one = live(visit).finally(() => running.delete(one));
      running.add(one);
    }
    const rest_ms = (t_ms - world_ms()) / time_scale;
    if (rest_ms > 1) await pause(rest_ms);
    const { analysis } = (await admin.post(`${API}/analyze`, {})) as { analysis: Analysis };
    log.look(analysis, t_ms);
    await admin.post(`${API}/tick`, {});
    if (scenario.person.approves) await approveWaiting(admin);
    options.onProgress?.(t_ms / end_ms);
  }
  await Promise.race([Promise.all(running), pause(HOUR_MS / time_scale)]);
  ending.abort();
  await Promise.all(running);
  const { mutations } = (await admin.get(`${API}/mutations`)) as { mutations: ChangeRow[] };
  const changes = mutations.map(({ type, agent, patch, state, reason }) => {
    return { type, agent, patch, state, reason };
  });
  return { world: name, seed, driver: 'http', hours, failure, ...counts, ...log.rows(), changes };
}

async function approveWaiting(admin: Admin): Promise<void> {
  const { plans } = (await admin.get(`${API}/plans?state=needs_approval`)) as { plans: Plan[] };
  for (const { id } of plans) {
    await admin.post(`${API}/plans/${encodeURIComponent(id)}/approve`, { by: 'hive sim' });
  }
}
