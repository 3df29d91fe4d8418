import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLog } from '../../src/core/log.ts';
import { sql } from '../../src/store/drizzle.ts';
import { openStore } from '../../src/store/open.ts';
import { rowsOf } from '../../src/store/rows.ts';
import { addParts } from '../../src/store/write-rollups.ts';
import { type Product, startProduct } from '../kit/product.ts';
import { until } from '../kit/until.ts';
import { answer, startUpstream, type Upstream } from '../kit/upstream.ts';
import { adminOf, canaryOf, startCanary, versionOf } from './admin.ts';
import { worldPolicies } from './world.ts';

/**
 * SIGKILL of any process at any moment. A scripted upstream answers, so that the engine's death is
 * nobody else's; the canary is made so slow that it lives through all of it.
 */
let product: Product;
let upstream: Upstream;

const SLOW_CANARY = `version: 1
safety:
  canary: { share: 0.5, ramp: [1], minutes_min: 100000, units_min: 100000, days_max: 300,
            step: { minutes: 100000, units: 100000 } }
bounds:
  /agents/*/prompt: { candidates: [kindness@1] }
`;

beforeAll(async () => {
  upstream = await startUpstream(answer('yes'));
  product = await startProduct({
    policies: { ...worldPolicies(upstream.url, upstream.url), 'oracle_policies.yaml': SLOW_CANARY },
  });
}, 60_000);

afterAll(async () => {
  await product?.stop();
  await upstream?.close();
});

interface Said {
  readonly acknowledged: string[];
  calls: number;
  failed: number;
}

/** Users who call and rate, two at a time, until told to stop; what was acknowledged is kept. */
function startUsers(product: Product, name: string): { stop(): Promise<Said> } {
  const said: Said = { acknowledged: [], calls: 0, failed: 0 };
  let open = true;
  const one = async (lane: number): Promise<void> => {
    for (let visit = 0; open; visit += 1) await visitOnce(`${name}-${lane}-${visit}`);
  };
  const post = (path: string, user: string, body: unknown): Promise<Response> =>
    fetch(`${product.gateway_url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-user-id': user, 'x-agent-id': 'stern' },
      body: JSON.stringify(body),
    });
  const visitOnce = async (user: string): Promise<void> => {
    said.calls += 1;
    try {
      const called = await post('/v1/chat/completions', user, {
        model: 'stern',
        messages: [{ role: 'user', content: user }],
      });
      await called.text();
      if (!called.ok) throw new Error(`call: ${called.status}`);
      const call_id = called.headers.get('x-hive-call-id');
      const rated = await post('/feedback', user, { call_id, rating: 4 });
      if (rated.status !== 202) throw new Error(`feedback: ${rated.status}`);
      const { feedback_id } = (await rated.json()) as { feedback_id: string };
      said.acknowledged.push(feedback_id);
    } catch {
      said.failed += 1;
    }
  };
  const running = Promise.all([one(0), one(1)]);
  return {
    async stop() {
      open = false;
      await running;
      return said;
    },
  };
}

async function workerIsBack(): Promise<void> {
  await until(async () => (await fetch(`${product.admin_url}/ready`)).ok, {
    what: 'the worker to be ready again',
    deadline_ms: 30_000,
    every_ms: 50,
  });
}

/** What the store holds once the product has stopped in order. */
async function readStore(data_dir: string) {
  const store = await openStore({ data_dir, database_url: null, log: silentLog });
  try {
    await addParts(store.db);
    const ids = await rowsOf<{ id: string }>(store.db, sql`select id from feedback`);
    const [counted] = await rowsOf<{ calls: number; ratings: number; rows: number }>(
      store.db,
      sql`select sum(calls)::int as calls,
            sum((counts->'rating'->>0)::int + (counts->'rating'->>1)::int)::int as ratings,
            (select count(*)::int from calls) as rows
          from rollups where span_ms = 86400000 and target = '' and tenant = '' and category = ''`,
    );
    return { ids: ids.map(({ id }) => id), counted };
  } finally {
    await store.close();
  }
}

describe('SIGKILL', () => {
  test('SIGKILL loses and doubles nothing acknowledged, and leaves the canary whole', async () => {
    const admin = adminOf(product);
    const plain = await versionOf(product, 'default');
    const canary = await startCanary(admin, {
      type: 'PROMPT_PATCH',
      agent: 'stern',
      patch: { agents: { stern: { prompt: 'kindness@1' } } },
      why: 'lives through kills',
    });

    const first = startUsers(product, 'worker-killed');
    for (let kill = 0; kill < 3; kill += 1) {
      await product.kill('worker');
      await workerIsBack();
    }
    await product.kill('engine');
    const calm = await first.stop();
    expect(calm.failed).toBe(0);
    expect(calm.calls).toBeGreaterThan(20);
    expect((await canaryOf(admin, canary.id))?.state).toMatch(/canary|paused/);

    const second = startUsers(product, 'gateway-killed');
    await until(async () => upstream.calls.length > calm.calls + 30, { what: 'more calls' });
    await product.kill('gateway');
    const stormy = await second.stop();
    await product.restart();
    expect(await versionOf(product, 'default')).toBe(plain);
    await until(async () => (await canaryOf(adminOf(product), canary.id))?.state === 'canary', {
      what: 'the canary to go on',
      deadline_ms: 40_000,
    });

    await product.kill('worker');
    await product.kill('gateway');
    await product.restart();
    expect(await versionOf(product, 'default')).toBe(plain);
    const back = await adminOf(product).post<{ rolled_back: string[] }>('rollback', {
      rollback_key: canary.key,
    });
    expect(back.rolled_back).toEqual([canary.key]);
    await product.quit();

    const { ids, counted } = await readStore(product.data_dir);
    const acknowledged = [...calm.acknowledged, ...stormy.acknowledged];
    const stored = new Set(ids.map((id) => id.split('.')[0]));
    expect(acknowledged.filter((id) => !stored.has(id))).toEqual([]);
    expect(ids.length).toBe(new Set(ids).size);
    expect(counted?.calls).toBe(counted?.rows);
    expect(counted?.ratings).toBeLessThanOrEqual(ids.length);
    expect(counted?.ratings).toBeGreaterThanOrEqual(acknowledged.length - stormy.failed);
  }, 150_000);
});
