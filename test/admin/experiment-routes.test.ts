import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AbDetail, AbSummary } from '../../src/oracle/ab-answers.ts';
import { type RunningAdmin, startAdmin } from './admin-kit.ts';
import { someExperiments } from './experiment-kit.ts';

const experiments = someExperiments();
let running: RunningAdmin;

beforeAll(async () => {
  running = await startAdmin({ experiments });
});
afterAll(() => running.admin.close());

const ask = (path: string, init?: RequestInit): Promise<Response> =>
  fetch(`${running.url}${path}`, init);

describe('experiments over the admin API', () => {
  test('GET lists them, and shows one with its report', async () => {
    const listed = (await (await ask('/api/v1/experiments')).json()) as {
      experiments: AbSummary[];
    };
    expect(listed.experiments).toMatchObject([{ name: 'tone', state: 'stopped' }]);
    const shown = (await (await ask('/api/v1/experiments/tone')).json()) as {
      experiment: AbDetail;
    };
    expect(shown.experiment).toMatchObject({
      verdict: { kind: 'winner', arm: 'friendly' },
      split: { state: 'ok' },
      report: { arms: [{ arm: 'control', units: 400 }, { arm: 'friendly' }] },
    });
  });

  test('GET of another name is 404, and another method 405', async () => {
    expect((await ask('/api/v1/experiments/tune')).status).toBe(404);
    expect((await ask('/api/v1/experiments/tone', { method: 'DELETE' })).status).toBe(405);
  });

  test('POST stop needs no body, and takes who and why', async () => {
    expect((await ask('/api/v1/experiments/tone/stop', { method: 'POST' })).status).toBe(200);
    const body = JSON.stringify({ by: 'ann', note: 'enough' });
    const headers = { 'content-type': 'application/json' };
    const said = await ask('/api/v1/experiments/tone/stop', { method: 'POST', headers, body });
    expect(said.status).toBe(200);
    expect(experiments.stopped).toEqual([
      { name: 'tone', by: null, note: null },
      { name: 'tone', by: 'ann', note: 'enough' },
    ]);
    const odd = JSON.stringify({ who: 'ann' });
    const refused = await ask('/api/v1/experiments/tone/stop', {
      method: 'POST',
      headers,
      body: odd,
    });
    expect(refused.status).toBe(400);
  });

  test('/status and the page have a row of each', async () => {
    const status = (await (await ask('/status')).json()) as { experiments: AbSummary[] };
    expect(status.experiments.map(({ name }) => name)).toEqual(['tone']);
    const page = await (await ask('/')).text();
    expect(page).toContain('tone for desk');
    expect(page).toContain('friendly is better');
  });
});
