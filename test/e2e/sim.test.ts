import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadWorld } from '../../src/sim/load-world.ts';
import { runOverHttp } from '../../src/sim/run-http.ts';
import { runWorld } from '../../src/sim/run-world.ts';
import type { World } from '../../src/sim/scenario.ts';
import { type SimUpstream, startSimUpstream } from '../../src/sim/upstream.ts';
import { writePolicies } from '../../src/sim/write-policies.ts';
import { type Product, startProduct } from '../kit/product.ts';

/** An hour of policy time a second: a day of the world in 24 s, on the real processes. */
const TIME_SCALE = 3600;
const LATENCY_SCALE = 40;
const HOURS = 20;

let dir: string;
let product: Product;
let upstream: SimUpstream;
let world: World;

beforeAll(async () => {
  const { scenario } = loadWorld('dissatisfied-model');
  const users = { people: { ...scenario.users.people, count: 200, calls_per_day: 4 } };
  world = {
    name: 'dissatisfied-model',
    scenario: { ...scenario, users, tick_minutes: 120 } as World['scenario'],
  };
  dir = mkdtempSync(join(tmpdir(), 'hive-sim-'));
  upstream = await startSimUpstream(world, { port: 0, latency_scale: LATENCY_SCALE });
  writePolicies(world.scenario, join(dir, 'policies'), upstream.url);
  product = await startProduct({ policies: join(dir, 'policies'), time_scale: TIME_SCALE });
}, 90_000);

afterAll(async () => {
  await product?.stop();
  await upstream?.close();
  rmSync(dir, { recursive: true, force: true });
});

test('both drivers find the same of the same world, and propose the same', async () => {
  const admin = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`${product.admin_url}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  };
  const http = await runOverHttp(world, {
    seed: 5,
    hours: HOURS,
    url: product.gateway_url,
    admin: { get: (path) => admin('GET', path), post: (path, body) => admin('POST', path, body) },
    fetch: (url, init) => fetch(url, init),
    time_scale: TIME_SCALE,
    latency_scale: LATENCY_SCALE,
    concurrency: 32,
  });
  const inside = runWorld(world, { seed: 5, days: HOURS / 24 });
  expect(http.failure).toBeNull();
  expect(http.calls).toBeGreaterThan(400);
  const share = http.satisfied / http.visits;
  expect(Math.abs(share - inside.loop.satisfied / inside.loop.visits)).toBeLessThan(0.1);
  const acting = (findings: typeof inside.findings) =>
    [
      ...new Set(
        findings
          .filter(({ level }) => level === 'act')
          .map(({ agent, target, metric }) => `${agent}/${target ?? '*'}/${metric}`),
      ),
    ].sort();
  expect(acting(http.findings)).toEqual(acting(inside.findings));
  expect(acting(inside.findings)).toContain('helper/*/dissatisfied');
  const decided = (changes: readonly { type: string; agent: string; patch: unknown }[]) =>
    changes.map(({ type, agent, patch }) => [type, agent, patch]);
  // How far real processes get in the time is chance; what they try, and in which order, is not.
  // The API tells the newest first.
  const there = decided(http.changes).toReversed();
  const here = decided(inside.changes);
  const shared = Math.min(there.length, here.length);
  expect(shared).toBeGreaterThan(0);
  expect(there.slice(0, shared)).toEqual(here.slice(0, shared));
}, 120_000);
