import { writeFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { Agent } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Plan } from '../../src/core/oracle.ts';
import type { Execution, Validation } from '../../src/oracle/oracle.ts';
import { descendantsOf, signal } from '../kit/processes.ts';
import { type Product, startProduct } from '../kit/product.ts';
import { until } from '../kit/until.ts';
import { answer, by, startUpstream, type Upstream } from '../kit/upstream.ts';
import { adminOf, rollBack } from './admin.ts';
import { worldPolicies } from './world.ts';

/** Two gateway processes behind one port, under load from connections that are used again. */
let product: Product;
let upstream: Upstream;
const connections = new Agent({ connections: 16, pipelining: 1 });

/** The first edit's number; no other policy here has it. */
const FIRST = 101;

/** The policy of one edit: three parts of it carry the edit's number. */
const edited = (number: number): string =>
  `${worldPolicies(upstream.url, upstream.url)['gateway.yaml']}`
    .replace('model: scripted-1', `model: scripted-${number}`)
    .replace(
      'stern: { targets: [scripted] }',
      `stern: { targets: [scripted], params: { seed: ${number} }, prompt: kindness@1 }`,
    );

const kindness = (number: number): string => `version: 1
name: kindness
versions: { 1: { ops: [{ op: system.append, text: "edit ${number}" }] } }
labels: { production: 1 }
`;

beforeAll(async () => {
  // Tells the caller which parts of which edits its call was made of.
  upstream = await startUpstream(
    by(({ body, system }) => answer(`${body.model}/${String(body.seed)}/${system}`)),
  );
  product = await startProduct({
    policies: { ...worldPolicies(upstream.url, upstream.url) },
    env: { HIVE_WORKERS: '2', HIVE_LOG_LEVEL: 'info' },
  });
}, 60_000);

afterAll(async () => {
  await connections.close();
  await product?.stop();
  await upstream?.close();
});

let answered = 0;

/** The metrics of all workers, also of those that have ended, count every call so far. */
async function untilCounted(): Promise<void> {
  const line = `hive_calls_total{agent="stern",outcome="ok"} ${answered}\n`;
  await until(
    async () => {
      const text = await (await fetch(`${product.admin_url}/metrics`)).text();
      return text.includes(line);
    },
    { what: `the metrics to count ${answered} calls` },
  );
}

interface Called {
  readonly version: string;
  readonly content: string;
}

/** Calls, eight at a time, until told to stop; each that is not answered with 200 has failed. */
function startCalls() {
  const called: Called[] = [];
  const failed: string[] = [];
  let going = true;
  const one = async (): Promise<void> => {
    while (going) {
      try {
        called.push(await call());
        answered += 1;
      } catch (error) {
        failed.push(String((error as Error).cause ?? error));
      }
    }
  };
  const all = Promise.all(Array.from({ length: 8 }, one));
  return {
    called,
    failed,
    async stop() {
      going = false;
      await all;
    },
  };
}

async function call(): Promise<Called> {
  const { statusCode, headers, body } = await connections.request({
    origin: product.gateway_url,
    path: '/v1/chat/completions',
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-agent-id': 'stern' },
    body: JSON.stringify({ model: 'stern', messages: [{ role: 'user', content: 'hi' }] }),
  });
  const text = await body.text();
  if (statusCode !== 200) throw new Error(`${statusCode} ${text}`);
  const { choices } = JSON.parse(text) as { choices: { message: { content: string } }[] };
  return { version: String(headers['x-hive-version']), content: choices[0]?.message.content ?? '' };
}

/** Pids of the processes that serve, by the name that the status gives them. */
async function gateways(): Promise<Readonly<Record<string, number>>> {
  const { children } = (await (await fetch(`${product.admin_url}/status`)).json()) as {
    children: Record<string, { state: string; pid: number | null }>;
  };
  const found = Object.entries(children).filter(([name]) => name.startsWith('gateway-'));
  return Object.fromEntries(found.map(([name, { pid }]) => [name, pid ?? 0]));
}

describe('two workers', () => {
  test('workers take turns, and the status and metrics speak for both', async () => {
    const calls = startCalls();
    await until(() => calls.called.length > 100, { what: 'a hundred calls' });
    await calls.stop();
    expect(calls.failed).toEqual([]);
    expect(Object.keys(await gateways()).sort()).toEqual(['gateway-0', 'gateway-1']);
    await untilCounted();
  });

  test('calls come first: the gateway’s processes go before the oracle’s worker', async () => {
    const { gateway, worker } = product.pids();
    const parent = getPriority(gateway as number);
    const serving = Object.values(await gateways()).map((pid) => getPriority(pid));
    expect(serving).toEqual([parent, parent]);
    expect(getPriority(worker as number)).toBeGreaterThan(parent);
  });

  test('SIGHUP replaces the workers one at a time, and no call fails', async () => {
    const before = await gateways();
    const calls = startCalls();
    signal(product.pids().gateway as number, 'SIGHUP');
    await until(() => product.output().includes('every gateway process was replaced'), {
      what: 'the replacement',
      deadline_ms: 40_000,
    });
    const soon = calls.called.length;
    await until(() => calls.called.length > soon + 50, { what: 'calls afterwards' });
    await calls.stop();
    expect(calls.failed).toEqual([]);
    const after = await until(
      async () => {
        const now = await gateways();
        return Object.keys(now).every((name) => now[name] !== before[name]) && now;
      },
      { what: 'the status to know the new ones' },
    );
    const running = descendantsOf(product.pids().gateway as number).map(({ pid }) => pid);
    expect(running).toEqual(expect.arrayContaining(Object.values(after)));
    expect(running.filter((pid) => Object.values(before).includes(pid))).toEqual([]);
    // What the old ones had counted to the last is not lost with them.
    await untilCounted();
  }, 120_000);

  test('a worker that is killed is started again, and counts on where it was', async () => {
    const before = await gateways();
    signal(before['gateway-1'] ?? 0, 'SIGKILL');
    const after = await until(
      async () => {
        const now = await gateways();
        return now['gateway-1'] && now['gateway-1'] !== before['gateway-1'] && now;
      },
      { what: 'the new worker' },
    );
    expect(after['gateway-0']).toBe(before['gateway-0']);
    const calls = startCalls();
    await until(() => calls.called.length > 50, { what: 'calls' });
    await calls.stop();
    expect(calls.failed).toEqual([]);
    await untilCounted();
  });

  test('an execution is effective once both workers serve it, a rollback too', async () => {
    const admin = adminOf(product);
    const { plan } = await admin.post<{ plan: Plan }>('plan', {
      mutations: [
        {
          type: 'PROMPT_PATCH',
          agent: 'stern',
          patch: { agents: { stern: { prompt: 'kindness@1' } } },
          why: 'seen by both',
        },
      ],
    });
    const { status } = await admin.post<Validation>('validate', { plan });
    if (status === 'needs_approval') await admin.post(`plans/${plan.id}/approve`, { by: 'test' });
    const executed = await admin.post<Execution>('execute', { plan });
    expect(executed.effective).toBe(true);
    const key = executed.mutations[0]?.rollback_key ?? '';
    expect(await rollBack(admin, key)).toMatchObject({ rolled_back: [key], effective: true });
  });

  test('fifty swaps under load fail no call, and each call sees exactly one version', async () => {
    const calls = startCalls();
    const seen = (number: number): boolean =>
      calls.called.slice(-8).every(({ content }) => content.startsWith(`scripted-${number}/`));
    for (let number = FIRST; number < FIRST + 50; number += 1) {
      const dir = product.policies_dir;
      writeFileSync(join(dir, 'prompts', 'kindness.yaml'), kindness(number));
      writeFileSync(join(dir, 'gateway.yaml'), edited(number));
      const soon = calls.called.length;
      await until(() => calls.called.length > soon + 8 && seen(number), {
        what: `edit ${number} to be served by both`,
      });
    }
    await calls.stop();
    expect(calls.failed).toEqual([]);
    const whole = calls.called.filter(({ content }) => content.includes('/edit '));
    const contents = new Map<string, Set<string>>();
    for (const { version, content } of whole) {
      contents.set(version, (contents.get(version) ?? new Set()).add(content));
    }
    // A version is one content: what a call was made of never came from two of them.
    expect([...contents.values()].filter((set) => set.size !== 1)).toEqual([]);
    const edits = new Set([...contents.values()].flatMap((set) => [...set]));
    for (let number = FIRST; number < FIRST + 50; number += 1) {
      expect(edits).toContain(`scripted-${number}/${number}/edit ${number}`);
    }
  }, 120_000);
});
