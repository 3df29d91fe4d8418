import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../../src/store/open.ts';
import { emptyStore, openTestStore } from '../kit/store.ts';
import { createWorld } from '../oracle/world.ts';
import { type RunningAdmin, startAdmin } from './admin-kit.ts';

let store: Store;
let running: RunningAdmin;

beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());
beforeEach(async () => {
  await emptyStore(store);
  running = await startAdmin({ prompts: createWorld(store).oracle.prompts });
});
afterEach(() => running.admin.close());

async function ask(path: string, body?: unknown) {
  const response = await fetch(`${running.url}/api/v1/prompts${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as Record<string, never>;
  return { status: response.status, ...answer } as Record<string, unknown>;
}

describe('promptRoutes', () => {
  test('promptRoutes list, show and compare what there is', async () => {
    expect(await ask('')).toEqual({
      status: 200,
      prompts: [
        {
          name: 'tone',
          versions: [1, 2],
          labels: { production: 1 },
          protected: [],
          agents: { duo: 1 },
        },
      ],
    });
    const status = (await (await fetch(`${running.url}/status`)).json()) as object;
    expect(status).toMatchObject({ prompts: [{ name: 'tone', agents: { duo: 1 } }] });
    expect(await ask('/tone?days=1')).toMatchObject({ prompt: { history: [], impact: [] } });
    expect(await ask('/tone/diff?from=1&to=2')).toMatchObject({
      diff: ['  system.append', '-   Be brief.', '+   Be kind.'],
    });
  });

  test('promptRoutes move a label, refuse a stale move with 409, and put it back', async () => {
    const move = { label: 'production', version: 2, expected: 1, by: 'ann' };
    expect(await ask('/tone/labels', move)).toMatchObject({ status: 200, moved: { to: 2 } });
    const stale = await ask('/tone/labels', { ...move, version: 1 });
    expect(stale).toMatchObject({ status: 409, error: { code: 'superseded' } });
    expect(await ask('/tone/rollback', {})).toMatchObject({ status: 200, moved: { to: 1 } });
    expect((await ask('/tone/rollback', {})).status).toBe(409);
  });

  test('promptRoutes take a version, and say which field is wrong', async () => {
    const content = { ops: [{ op: 'system.append', text: 'Be exact.' }] };
    const brought = await ask('/tone/versions', { content, label: 'production' });
    expect(brought).toMatchObject({ status: 200, moved: { version: 3, to: 3 } });
    const wrong = await ask('/tone/versions', { content: { ops: [{ op: 'append' }] } });
    expect(wrong).toMatchObject({ status: 400, error: { param: 'content.ops.0.op' } });
    expect(await ask('/tone/labels', { label: 'production' })).toMatchObject({
      status: 400,
      error: { param: 'version' },
    });
    expect((await ask('/nothing')).status).toBe(404);
  });
});
