import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Plan } from '../../src/core/oracle.ts';
import { postJson, type RunningAdmin, send, startAdmin } from './admin-kit.ts';

const OWN_PLAN = {
  mutations: [
    {
      type: 'LORA_APPLY',
      agent: 'helpful_assistant',
      patch: { agents: { helpful_assistant: { adapter: 'upper' } } },
    },
  ],
};

describe('oracleRoutes', () => {
  let running: RunningAdmin;
  beforeEach(async () => {
    running = await startAdmin();
  });
  afterEach(() => running.admin.close());

  const json = async (response: Response): Promise<Record<string, unknown>> =>
    (await response.json()) as Record<string, unknown>;
  const ownPlan = async (): Promise<Plan> =>
    (await json(await postJson(running.url, '/plan', OWN_PLAN))).plan as Plan;

  test('analyze answers the analysis under its name, and hands on what was asked', async () => {
    const response = await postJson(running.url, '/analyze', {
      time_window_hours: 24,
      event_limit: 1000,
    });
    expect(response.status).toBe(200);
    expect(await json(response)).toEqual({ analysis: running.oracle.ledger.analysis });
    expect(running.oracle.ledger.heard.get('analyze')).toEqual({
      time_window_hours: 24,
      event_limit: 1000,
    });
  });

  test('analyze and tick need neither body nor content type', async () => {
    const analyzed = await send(running.port, 'POST', '/api/v1/oracle/analyze');
    const ticked = await send(running.port, 'POST', '/api/v1/oracle/tick');
    expect([analyzed.status, ticked.status]).toEqual([200, 200]);
    expect(JSON.parse(ticked.text).cycle).toMatchObject({ id: 'cycle_1', state: 'done' });
  });

  test('plan passes findings through unread, whatever their form', async () => {
    const findings = { id: 'analysis_1', odd: [1, null, { deep: true }] };
    const response = await postJson(running.url, '/plan', { findings });
    expect(response.status).toBe(200);
    expect(running.oracle.ledger.heard.get('plan')).toEqual({ findings });
  });

  test('plan takes a person’s own mutations', async () => {
    const plan = await ownPlan();
    expect(plan).toMatchObject({ id: 'plan_1', origin: 'person', state: 'needs_approval' });
    expect(plan.mutations[0]?.touches).toEqual(['/agents/helpful_assistant/adapter']);
  });

  test('a plan goes from approval to a canary and back', async () => {
    const plan = await ownPlan();
    const early = await postJson(running.url, '/execute', { plan, dry_run: false });
    expect(early.status).toBe(409);
    expect(await json(early)).toMatchObject({ error: { code: 'approval_required' } });

    const approved = await postJson(running.url, `/plans/${plan.id}/approve`, { by: 'ann' });
    expect(((await json(approved)).plan as Plan).state).toBe('approved');
    expect(running.oracle.ledger.heard.get('approve')).toEqual({
      id: plan.id,
      by: 'ann',
      note: null,
    });

    const validation = await json(await postJson(running.url, '/validate', { plan }));
    expect(validation).toMatchObject({ plan_id: plan.id, status: 'passed', overall_passed: true });

    const dry = await json(await postJson(running.url, '/execute', { plan, dry_run: true }));
    expect(dry).toMatchObject({ dry_run: true, effective: false });
    expect(running.oracle.ledger.canaries.size).toBe(0);

    const execution = await json(await postJson(running.url, '/execute', { plan }));
    expect(execution).toMatchObject({ plan_id: plan.id, dry_run: false, effective: true });
    const canaries = await json(await fetch(`${running.url}/api/v1/oracle/canaries`));
    expect(canaries.canaries).toMatchObject([{ rollback_key: 'rollback_mut_0', share: 0.05 }]);

    const key = { rollback_key: 'rollback_mut_0', emergency: true };
    const first = await json(await postJson(running.url, '/rollback', key));
    expect(first).toMatchObject({ rolled_back: ['rollback_mut_0'], already: false });
    const second = await json(await postJson(running.url, '/rollback', key));
    expect(second).toMatchObject({ already: true });
  });

  test('rollback of an unknown key is a 404 that names it', async () => {
    const response = await postJson(running.url, '/rollback', {
      rollback_key: 'rollback_12345',
      emergency: true,
    });
    expect(response.status).toBe(404);
    expect(await json(response)).toEqual({
      error: {
        code: 'not_found',
        message: 'There is no rollback key rollback_12345.',
        param: 'rollback_key',
        details: null,
      },
    });
  });

  test('an edited plan is refused as edited', async () => {
    const plan = await ownPlan();
    const response = await postJson(running.url, '/validate', {
      plan: { ...plan, expires_at: '2099-01-01T00:00:00.000Z' },
    });
    expect(response.status).toBe(409);
    expect(await json(response)).toMatchObject({ error: { code: 'edited' } });
  });

  test('plans are listed by state, and an unknown state is refused with the known', async () => {
    const plan = await ownPlan();
    const waiting = await json(
      await fetch(`${running.url}/api/v1/oracle/plans?state=needs_approval`),
    );
    expect(waiting.plans).toEqual([plan]);
    const executed = await json(await fetch(`${running.url}/api/v1/oracle/plans?state=executed`));
    expect(executed.plans).toEqual([]);
    const wrong = await fetch(`${running.url}/api/v1/oracle/plans?state=lost`);
    expect(wrong.status).toBe(400);
    expect(await json(wrong)).toMatchObject({
      error: { param: 'state', message: expect.stringContaining('needs_approval') },
    });
  });

  test('reject ends a plan, and unknown ids are 404', async () => {
    const plan = await ownPlan();
    const rejected = await send(running.port, 'POST', `/api/v1/oracle/plans/${plan.id}/reject`);
    expect(JSON.parse(rejected.text).plan.state).toBe('rejected');
    for (const path of ['/plans/plan_9', '/cycles/cycle_9']) {
      expect((await fetch(`${running.url}/api/v1/oracle${path}`)).status).toBe(404);
    }
  });

  test.each([
    ['/analyze', { time_window_hours: -1 }, 'time_window_hours'],
    ['/analyze', { hours: 3 }, 'hours'],
    ['/plan', {}, null],
    ['/plan', { findings: [], ...OWN_PLAN }, null],
    ['/plan', { mutations: [{ type: 'LORA_APPLY', agent: 'a' }] }, 'mutations.0.patch'],
    ['/validate', {}, 'plan'],
    ['/execute', { plan: {}, dry_run: 'yes' }, 'dry_run'],
    ['/rollback', { emergency: true }, 'rollback_key'],
    ['/tick', { now: true }, 'now'],
    ['/analyze', [1], null],
  ])('%s refuses %j and names %s', async (path, body, param) => {
    const response = await postJson(running.url, path, body);
    expect(response.status).toBe(400);
    const { error } = (await response.json()) as { error: { code: string; param: string | null } };
    expect(error.code).toBe('bad_request');
    expect(error.param).toBe(param);
  });
});

describe('oracleRoutes in a hurry', () => {
  test('tick is 202 with the running cycle when it takes longer than a client waits', async () => {
    const running = await startAdmin({ limits: { tick_ms: 30, answer_ms: 500 } });
    const gate = Promise.withResolvers<void>();
    running.oracle.ledger.cycleGate = gate.promise;
    const response = await postJson(running.url, '/tick', {});
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ cycle: { id: 'cycle_1', state: 'running' } });
    gate.resolve();
    await running.admin.close();
  });

  test('an answer that does not come is a 503 that says where to look again', async () => {
    const running = await startAdmin({ limits: { answer_ms: 30 } });
    const gate = Promise.withResolvers<never>();
    const slow = { ...running.deps.oracle, analyze: () => gate.promise };
    const hasty = await startAdmin({ oracle: slow, limits: { answer_ms: 30 } });
    const response = await postJson(hasty.url, '/analyze', {});
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('2');
    expect(await response.json()).toMatchObject({ error: { code: 'not_ready' } });
    gate.reject(new Error('the store closed'));
    await Promise.all([running.admin.close(), hasty.admin.close()]);
  });
});
