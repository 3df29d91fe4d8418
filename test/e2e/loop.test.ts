import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Plan } from '../../src/core/oracle.ts';
import { type Product, startProduct } from '../kit/product.ts';
import { until } from '../kit/until.ts';
import { answer, bySystem, startUpstream, status, type Upstream } from '../kit/upstream.ts';
import { type Admin, adminOf, outcomeOf, rollBack, startCanary, versionOf } from './admin.ts';
import {
  clientOf,
  type Population,
  startTraffic,
  wantsCapitals,
  wantsKindness,
  wordOf,
  worldPolicies,
} from './world.ts';

/**
 * The whole loop over real sockets: the real SDK, the real engine and adapters, and one scripted
 * upstream, whose answer depends on the system text that it received. A second is ten policy
 * minutes.
 */
const TIME_SCALE = 600;

let product: Product;
let admin: Admin;
let scripted: Upstream;
let broken: Upstream;

beforeAll(async () => {
  scripted = await startUpstream(
    bySystem((system) => answer(system.includes('kind') ? 'Gladly, my friend.' : 'No.')),
  );
  broken = await startUpstream(status(500, { error: { message: 'broken', type: 'server_error' } }));
  product = await startProduct({
    policies: worldPolicies(scripted.url, broken.url),
    time_scale: TIME_SCALE,
  });
  admin = adminOf(product);
}, 60_000);

afterAll(async () => {
  await product?.stop();
  await scripted?.close();
  await broken?.close();
});

async function withTraffic<Result>(
  population: Population,
  first_user: number,
  during: () => Promise<Result>,
): Promise<Result> {
  const traffic = startTraffic(product, population, { first_user, concurrency: 4 });
  try {
    return await during();
  } finally {
    await traffic.stop();
  }
}

/** Ticks until the oracle has a plan of this type for the agent that waits for a person. */
async function planWaiting(agent: string, type: string): Promise<Plan> {
  return until(
    async () => {
      await admin.post('tick');
      const { plans } = await admin.get<{ plans: Plan[] }>('plans?state=needs_approval');
      return plans.find((plan) =>
        plan.mutations.some((mutation) => mutation.agent === agent && mutation.type === type),
      );
    },
    { what: `a ${type} plan for ${agent}`, deadline_ms: 30_000, every_ms: 200 },
  );
}

describe('the loop', () => {
  test('the SDK gets whole and streamed answers from the embedded model', async () => {
    const client = clientOf(product);
    const whole = await client.chat.completions.create({
      model: 'helpful_assistant',
      messages: [{ role: 'user', content: 'hive' }],
    });
    expect(whole.choices[0]?.message.content).toBe('hive');
    expect(whole.usage?.total_tokens).toBeGreaterThan(0);

    const stream = await client.chat.completions.create({
      model: 'default',
      stream: true,
      messages: [{ role: 'user', content: 'honey' }],
    });
    const parts: string[] = [];
    for await (const chunk of stream) parts.push(chunk.choices[0]?.delta.content ?? '');
    expect(parts.join('')).toBe('honey');
    expect(parts.length).toBeGreaterThan(2);

    const { data } = await client.models.list();
    expect(data.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['helpful_assistant', 'stern', 'demo', 'scripted']),
    );
  });

  test('a rating in the x-feedback header reaches the call it names', async () => {
    const headers = { 'x-session-id': 'header-session' };
    const ask = (more: Record<string, string>): Promise<Response> =>
      fetch(`${product.gateway_url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers, ...more },
        body: JSON.stringify({ model: 'default', messages: [{ role: 'user', content: 'bee' }] }),
      });
    const first = await ask({});
    const call = first.headers.get('x-hive-call-id');
    await first.text();
    const second = await ask({ 'x-feedback': `rating=4.5, helpful=?1, call="${call}"` });
    expect(second.status).toBe(200);
    // `accepted` is said only where the disk had it before the headers left; kept it is either way.
    expect(second.headers.get('x-hive-feedback') ?? 'accepted').toBe('accepted');
    const counted = async (): Promise<boolean> => {
      const metrics = await (await fetch(`${product.admin_url}/metrics`)).text();
      return metrics.includes('hive_feedback_total{signal="rating",channel="header"} 1');
    };
    await until(counted, { what: 'the rating to be counted' });
    const third = await ask({ 'x-feedback': 'rating=9' });
    expect(third.status).toBe(200);
    expect(third.headers.get('x-hive-feedback')).toContain('rejected');
  });

  test('the oracle proves an adapter on live traffic; what harms goes by itself', async () => {
    const first_version = await versionOf(product, 'helpful_assistant');

    const good = await withTraffic(wantsCapitals, 1, async () => {
      const plan = await planWaiting('helpful_assistant', 'LORA_APPLY');
      expect(plan.mutations[0]?.patch).toEqual({
        agents: { helpful_assistant: { adapter: 'upper' } },
      });
      await admin.post(`plans/${plan.id}/approve`, { by: 'test' });
      const mutation = plan.mutations[0]?.id ?? '';
      expect(await outcomeOf(admin, mutation, 45_000)).toBe('applied');
      return mutation;
    });
    const improved_version = await versionOf(product, 'helpful_assistant');
    expect(improved_version).not.toBe(first_version);
    const client = clientOf(product);
    const answered = await client.chat.completions.create({
      model: 'helpful_assistant',
      messages: [{ role: 'user', content: wordOf(3) }],
    });
    expect(answered.choices[0]?.message.content).toBe(wordOf(3).toUpperCase());

    await withTraffic(wantsCapitals, 100_000, async () => {
      const wrong = await startCanary(admin, {
        type: 'LORA_APPLY',
        agent: 'helpful_assistant',
        patch: { agents: { helpful_assistant: { adapter: 'reverse' } } },
        why: 'the wrong adapter',
      });
      expect(await outcomeOf(admin, wrong.id, 45_000)).toBe('withdrawn');
    });
    expect(await versionOf(product, 'helpful_assistant')).toBe(improved_version);

    await withTraffic(wantsCapitals, 200_000, async () => {
      const patch = await startCanary(admin, {
        type: 'PROMPT_PATCH',
        agent: 'helpful_assistant',
        patch: { agents: { helpful_assistant: { prompt: 'kindness@1' } } },
        why: 'a prompt that this model cannot stand',
      });
      expect(await outcomeOf(admin, patch.id, 45_000)).toBe('withdrawn');
    });
    expect(await versionOf(product, 'helpful_assistant')).toBe(improved_version);

    const key = `rollback_${good.slice('mut_'.length)}`;
    const taken = await rollBack(admin, key);
    expect(taken).toMatchObject({ rolled_back: [key], effective: true, already: false });
    expect(taken.version).toBe(first_version);
    expect(await versionOf(product, 'helpful_assistant')).toBe(first_version);
    expect(await rollBack(admin, key)).toMatchObject({ already: true });
  }, 180_000);

  test('on the scripted upstream a helpful prompt stays, a failing target goes', async () => {
    await withTraffic(wantsKindness, 1, async () => {
      const plan = await planWaiting('stern', 'PROMPT_PATCH');
      await admin.post(`plans/${plan.id}/approve`, { by: 'test' });
      expect(await outcomeOf(admin, plan.mutations[0]?.id ?? '', 45_000)).toBe('applied');
    });
    const version = await versionOf(product, 'stern');
    await withTraffic(wantsKindness, 100_000, async () => {
      const swap = await startCanary(admin, {
        type: 'MODEL_SWAP',
        agent: 'stern',
        patch: { agents: { stern: { targets: { scripted: null, broken: 1 } } } },
        why: 'a target that fails',
      });
      expect(await outcomeOf(admin, swap.id, 45_000)).toBe('withdrawn');
    });
    expect(await versionOf(product, 'stern')).toBe(version);
  }, 120_000);
});
