import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Plan } from '../../src/core/oracle.ts';
import type { AbDetail, AbSummary } from '../../src/oracle/ab-answers.ts';
import { type Product, startProduct } from '../kit/product.ts';
import { until } from '../kit/until.ts';
import { answer, bySystem, startUpstream, status, type Upstream } from '../kit/upstream.ts';
import { type Admin, adminOf } from './admin.ts';
import { startTraffic, wantsKindness, worldPolicies } from './world.ts';

/** A second is ten policy minutes. The upstream is kind only if the system text asks for it. */
const TIME_SCALE = 600;

let product: Product;
let admin: Admin;
let upstream: Upstream;
let broken: Upstream;
let plain: string;

const tone = (arms: string, more = ''): string => `
experiments:
  tone:
    agent: stern
    unit: user
    arms:
${arms}
    metric: dissatisfied
    also: [rating, latency]
    guardrails: { success: 0.5 }
    stop: { units_min: 30, hours_min: 1 }
    at_end: propose
${more}`;

const HALVES = `      control: { share: 0.5 }
      kind: { share: 0.5, set: { prompt: kindness@1 } }`;

function servePolicy(experiments: string): void {
  writeFileSync(join(product.policies_dir, 'gateway.yaml'), plain + experiments);
}

beforeAll(async () => {
  upstream = await startUpstream(
    bySystem((system) => answer(system.includes('kind') ? 'Gladly, my friend.' : 'No.')),
  );
  broken = await startUpstream(status(500));
  const policies = worldPolicies(upstream.url, broken.url);
  plain = (policies['gateway.yaml'] ?? '').replace('retries: 0', 'retries: 2');
  product = await startProduct({
    policies: { ...policies, 'gateway.yaml': plain + tone(HALVES) },
    time_scale: TIME_SCALE,
  });
  admin = adminOf(product);
}, 90_000);

afterAll(async () => {
  await product?.stop();
  await upstream?.close();
  await broken?.close();
});

async function ask<Answer>(path: string, method = 'GET'): Promise<Answer> {
  const answered = await fetch(`${product.admin_url}${path}`, { method });
  if (!answered.ok) throw new Error(`${path}: ${answered.status} ${await answered.text()}`);
  return (await answered.json()) as Answer;
}

async function experiment(name = 'tone'): Promise<AbDetail> {
  return (await ask<{ experiment: AbDetail }>(`/api/v1/experiments/${name}`)).experiment;
}

/** A call of one user: the text that came back, and the arm that it was in. */
async function callOf(user: string) {
  const answered = await fetch(`${product.gateway_url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-agent-id': 'stern', 'x-user-id': user },
    body: JSON.stringify({ model: 'stern', messages: [{ role: 'user', content: 'hello' }] }),
  });
  const body = (await answered.json()) as { choices: { message: { content: string } }[] };
  const arm = answered.headers.get('x-hive-arm');
  return { status: answered.status, text: body.choices[0]?.message.content, arm };
}

/** Whoever they are: what twenty users get. */
async function armsSeen(label: string) {
  const calls = Array.from({ length: 20 }, (_, index) => callOf(`${label}-${index}`));
  return new Set((await Promise.all(calls)).map(({ arm }) => arm));
}

async function untilServed(run: string): Promise<void> {
  await until(async () => [...(await armsSeen('who'))].some((arm) => arm?.startsWith(run)), {
    what: `calls in ${run}`,
    deadline_ms: 20_000,
  });
}

describe('an A/B experiment', () => {
  test('with a truly better arm stops by its rule, reports it, and promotes nothing', async () => {
    const { run } = await experiment();
    await untilServed(run);
    const first = await Promise.all(['ann', 'ann', 'ann'].map(callOf));
    expect(new Set(first.map(({ arm }) => arm)).size).toBe(1);

    const traffic = startTraffic(product, wantsKindness, { first_user: 1, concurrency: 4 });
    const ended = await until(
      async () => {
        const now = await experiment();
        return now.state === 'stopped' && now;
      },
      { what: 'the end of the experiment', deadline_ms: 60_000, every_ms: 200 },
    );
    const { errors, calls } = await traffic.stop();
    expect(errors).toBe(0);
    expect(calls).toBeGreaterThan(60);
    expect(ended.verdict).toMatchObject({ kind: 'winner', arm: 'kind' });
    expect(ended.sentence).toMatch(/^kind is better: dissatisfied units −\d/);
    expect(ended.report?.split.state).toBe('ok');
    const [own] = ended.report?.comparisons ?? [];
    expect(own).toMatchObject({ arm: 'kind', role: 'primary', proven: 'better' });
    expect(own?.high).toBeLessThan(0);
    for (const { units } of ended.arms) expect(units).toBeGreaterThanOrEqual(30);

    expect(ended.no_plan).toBeNull();
    const { plans } = await admin.get<{ plans: Plan[] }>('plans?state=needs_approval');
    expect(plans).toMatchObject([
      { id: ended.plan, mutations: [{ type: 'PROMPT_PATCH', agent: 'stern' }] },
    ]);
    expect(ended.serves).toBe('control');
    await until(async () => [...(await armsSeen('after'))].every((arm) => arm === null), {
      what: 'control for all',
    });
    expect((await callOf('after-all')).text).toBe('No.');
    const status = await ask<{ experiments: AbSummary[] }>('/status');
    expect(status.experiments).toMatchObject([{ name: 'tone', state: 'stopped' }]);
    const metrics = await (await fetch(`${product.admin_url}/metrics`)).text();
    expect(metrics).toContain('hive_experiments{state="stopped"} 1');
  }, 120_000);

  test('that has stopped stays so over a restart', async () => {
    const before = await experiment();
    await product.quit();
    await product.restart();
    expect(await armsSeen('restarted')).toEqual(new Set([null]));
    const after = await experiment();
    expect(after).toMatchObject({ run: before.run, state: 'stopped', verdict: before.verdict });
  }, 90_000);

  test('whose arm always fails loses no call, and the arm goes', async () => {
    const failing = HALVES.replace('prompt: kindness@1', 'targets: [broken]');
    servePolicy(tone(failing));
    const { run } = await until(
      async () => {
        const now = await experiment();
        return now.state === 'running' && now;
      },
      { what: 'the run', deadline_ms: 20_000 },
    );
    const statuses = new Set<number>();
    const ended = await until(
      async () => {
        for (let user = 0; user < 10; user += 1) statuses.add((await callOf(`u-${user}`)).status);
        const now = await experiment();
        return now.state === 'stopped' && now;
      },
      { what: 'the end of the failing arm', deadline_ms: 60_000 },
    );
    expect(ended).toMatchObject({ run, verdict: { kind: 'harm' }, serves: 'control' });
    expect([...statuses]).toEqual([200]);
    expect(broken.calls.length).toBeGreaterThan(0);
  }, 90_000);

  test('that is edited, stopped and taken out under load fails no call', async () => {
    const seen = new Set<string>();
    const failed: unknown[] = [];
    let going = true;
    const load = Array.from({ length: 6 }, async (_, worker) => {
      for (let turn = 0; going; turn += 1) {
        const called = await callOf(`load-${worker}-${turn % 50}`).catch((error: unknown) => error);
        if ((called as { status?: number }).status !== 200) failed.push(called);
        else seen.add(String((called as { arm: string | null }).arm));
      }
    });
    const edits = [
      tone(HALVES, '    run: 2'),
      tone(HALVES.replaceAll('0.5', '0.2'), '    run: 3'),
      tone(`${HALVES.replaceAll('0.5', '0.3')}
      swapped: { share: 0.3, set: { targets: { scripted: 1, broken: 0 } } }
      warm: { share: 0.1, set: { params: { temperature: 1 }, prompt: null } }`),
      tone(HALVES, '    run: 4\n    on_stop: kind'),
    ];
    const runs: string[] = [];
    for (const [index, edit] of edits.entries()) {
      servePolicy(edit);
      const { run } = await until(
        async () => {
          const now = await experiment();
          return now.state === 'running' && !runs.includes(now.run) && now;
        },
        { what: `edit ${index}`, deadline_ms: 20_000 },
      );
      runs.push(run);
      await untilServed(run);
      // An arm that cannot be served is refused by the loader, and the experiment goes on.
      servePolicy(tone(HALVES.replace('kindness@1', 'kindness@9')));
      await until(async () => (await ask<{ policy_error: unknown }>('/status')).policy_error, {
        what: 'the refusal',
      });
      expect([...(await armsSeen('still'))].some((arm) => arm?.startsWith(run))).toBe(true);
    }
    servePolicy(edits.at(-1) ?? '');
    await ask('/api/v1/experiments/tone/stop', 'POST');
    expect(await experiment()).toMatchObject({ state: 'stopped', verdict: { kind: 'manual' } });
    await until(async () => (await callOf('anyone')).text === 'Gladly, my friend.', {
      what: 'the arm that is served from then on',
    });
    expect([...(await armsSeen('stopped'))]).toEqual([null]);
    servePolicy('');
    await until(async () => (await callOf('anyone')).text === 'No.', { what: 'the plain agent' });
    await until(async () => (await experiment()).state === 'removed', { what: 'the removal' });
    going = false;
    await Promise.all(load);
    expect(failed).toEqual([]);
    for (const run of runs) expect([...seen].join(' ')).toContain(run);
  }, 120_000);
});
