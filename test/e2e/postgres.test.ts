import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  POSTGRES_INSTALL,
  postgresBin,
  startPostgres,
  type TestPostgres,
} from '../kit/postgres.ts';
import { type Product, startProduct } from '../kit/product.ts';
import { until } from '../kit/until.ts';
import { answer, startUpstream, type Upstream } from '../kit/upstream.ts';
import { adminOf, canaryOf, startCanary, versionOf } from './admin.ts';
import { worldPolicies } from './world.ts';

const missing = postgresBin() === null ? POSTGRES_INSTALL : null;
let postgres: TestPostgres;
let upstream: Upstream;
let product: Product;

describe.skipIf(missing !== null)(`the product on Postgres (${missing ?? 'present'})`, () => {
  beforeAll(async () => {
    postgres = await startPostgres();
    upstream = await startUpstream(answer('yes'));
    product = await startProduct({
      policies: worldPolicies(upstream.url, upstream.url),
      env: { DATABASE_URL: postgres.fresh() },
    });
  }, 60_000);

  afterAll(async () => {
    await product?.stop();
    await upstream?.close();
    await postgres?.stop();
  });

  test('the product keeps its canary and its feedback over a restart of Postgres', async () => {
    const admin = adminOf(product);
    const status = await fetch(`${product.admin_url}/status`);
    expect(await status.json()).toMatchObject({ store: { kind: 'postgres', ok: true } });
    const before = await versionOf(product, 'stern');
    const canary = await startCanary(admin, {
      type: 'PROMPT_PATCH',
      agent: 'stern',
      patch: { agents: { stern: { prompt: 'kindness@1' } } },
      why: 'to be found again',
    });

    await postgres.restart();
    expect(await versionOf(product, 'stern')).toBe(before);
    const rated = await fetch(`${product.gateway_url}/feedback`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-user-id': 'u1' },
      body: JSON.stringify({ agent_id: 'stern', rating: 2 }),
    });
    expect(rated.status).toBe(202);
    const found = await until(() => canaryOf(admin, canary.id), {
      what: 'the canary after the restart of Postgres',
      deadline_ms: 30_000,
      every_ms: 100,
    });
    expect(found.rollback_key).toBe(canary.key);
    const back = await admin.post<{ version: string }>('rollback', { rollback_key: canary.key });
    expect(back.version).toBe(before);
  }, 60_000);
});
