import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Store } from '../../src/store/open.ts';
import { hive } from '../cli/cli-kit.ts';
import { emptyStore, openTestStore } from '../kit/store.ts';
import { startUpstream, type Upstream } from '../kit/upstream.ts';
import {
  ADVICE,
  createProposalsWorld,
  modelThat,
  type ProposalsWorld,
  policyWith,
  QUESTIONS,
} from '../oracle/proposals/proposals-world.ts';
import { type RunningAdmin, startAdmin } from './admin-kit.ts';

let store: Store;
let upstream: Upstream;
let running: RunningAdmin;
let made: ProposalsWorld;
let id: string;

beforeAll(async () => {
  store = await openTestStore();
  await emptyStore(store);
  upstream = await startUpstream(modelThat(ADVICE));
  made = createProposalsWorld(store, policyWith(), upstream);
  await made.said('reflect', QUESTIONS.slice(0, 3), { user: 'default/ann' });
  await made.said('held_out', QUESTIONS.slice(3, 20));
  await made.proposals.tick();
  running = await startAdmin({ proposals: made.proposals });
  id = String((await made.proposals.list())[0]?.id);
});
afterAll(async () => {
  await running.admin.close();
  await upstream.close();
  await store.close();
});

async function get(path: string) {
  const response = await fetch(`${running.url}${path}`);
  return { status: response.status, body: (await response.json()) as Record<string, never> };
}

describe('proposalRoutes', () => {
  test('proposalRoutes list what was proposed and what was spent; so does /status', async () => {
    const { body } = await get('/api/v1/oracle/proposals');
    expect(body).toMatchObject({
      status: {
        state: 'waiting',
        spent: { calls: 25 },
        budget: { calls_per_day: 1000 },
        breaker: { failures: 0 },
      },
      proposals: [{ id, agent: 'duo', state: 'passed', pairs: { win: 12 } }],
    });
    const status = await get('/status');
    expect(status.body).toMatchObject({ proposals: { state: 'waiting', spent: { calls: 25 } } });
    expect(status.body).toMatchObject({ candidates: [{ id, pairs: { win: 12 } }] });
    const page = await (await fetch(running.url)).text();
    expect(page).toContain(`npx hive proposals show ${id}`);
    expect(page).toMatch(
      /<h2>Targets<\/h2>\s*<div class="wide"><table>.*<td>demo<\/td>\s*<td class="">closed<\/td>/s,
    );
    expect(QUESTIONS.filter((question) => page.includes(question))).toEqual([]);
  });

  test('proposalRoutes show one, and 404 what is none', async () => {
    const { body } = await get(`/api/v1/oracle/proposals/${id}`);
    expect(body).toMatchObject({ proposal: { id, base: { name: 'tone', version: 1 } } });
    expect(JSON.stringify(body)).toContain(ADVICE);
    // Nothing of what users wrote is in any answer.
    const all = JSON.stringify([body, (await get('/api/v1/oracle/proposals')).body]);
    expect(QUESTIONS.filter((question) => all.includes(question))).toEqual([]);
    expect((await get('/api/v1/oracle/proposals/prop_x')).status).toBe(404);
  });

  test('hive proposals shows the same as text and as JSON', async () => {
    const env = { HIVE_ADMIN_PORT: String(running.port) };
    const listed = await hive(['proposals'], { env });
    expect(listed).toMatchObject({ code: 0, err: '' });
    expect(listed.out).toMatch(/spent on \d{4}-\d\d-\d\d: 25 of 1000 calls/);
    expect(listed.out).toMatch(/duo +passed +12\/0\/0/);
    const shown = await hive(['proposals', 'show', id], { env });
    expect(shown.out).toContain('made from tone@1 after 3 calls');
    expect(shown.out).toContain(ADVICE);
    const json = await hive(['proposals', 'show', id, '--json'], { env });
    expect(JSON.parse(json.out)).toMatchObject({ proposal: { id } });
    expect((await hive(['proposals', 'show'], { env })).code).toBe(2);
    expect((await hive(['proposals', 'forget'], { env })).code).toBe(2);
  });

  test('hive proposals forget deletes what a user said', async () => {
    const env = { HIVE_ADMIN_PORT: String(running.port) };
    const gone = await hive(['proposals', 'forget', '--user', 'ann'], { env });
    expect(gone.out).toBe('3 samples deleted.\n');
    const again = await hive(['proposals', 'forget', '--user', 'ann', '--json'], { env });
    expect(JSON.parse(again.out)).toEqual({ forgotten: { deleted: 0 } });
  });
});

describe('proposalRoutes without a gateway', () => {
  let bare: RunningAdmin;
  afterEach(() => bare.admin.close());

  test('proposalRoutes say that no model can be asked', async () => {
    bare = await startAdmin();
    const response = await fetch(`${bare.url}/api/v1/oracle/proposals`);
    expect(response.status).toBe(503);
  });
});
