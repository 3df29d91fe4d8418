import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningAdmin, startAdmin } from '../admin/admin-kit.ts';
import { hive, temporaryDir } from './cli-kit.ts';

const MUTATIONS = [
  {
    type: 'LORA_APPLY',
    agent: 'helpful_assistant',
    patch: { agents: { helpful_assistant: { adapter: 'upper' } } },
  },
];

describe('hive against a running admin API', () => {
  let running: RunningAdmin;
  let env: Record<string, string>;
  beforeAll(async () => {
    running = await startAdmin();
    env = { HIVE_ADMIN_PORT: String(running.port) };
  });
  afterAll(() => running.admin.close());

  test('hive takes a person’s plan from a file through approval to a canary and back', async () => {
    const file = join(temporaryDir(), 'plan.json');
    writeFileSync(file, JSON.stringify(MUTATIONS));
    const planned = await hive(['plan', file], { env });
    expect(planned).toMatchObject({ code: 0, err: '' });
    expect(planned.out).toContain('plan_1 is needs_approval (planned by a person).');
    expect(planned.out).toContain('LORA_APPLY helpful_assistant {"adapter":"upper"} (risk high)');
    expect(planned.out).toContain('hive approve plan_1');

    const waiting = await hive(['plans', '--state', 'needs_approval'], { env });
    expect(waiting.out).toMatch(/^plan +state +by +until +mutations\nplan_1 +needs_approval/);

    const early = await hive(['execute', 'plan_1'], { env });
    expect(early).toEqual({
      code: 1,
      out: '',
      err: 'hive: approval_required: Plan plan_1 waits for approval.\n',
    });
    expect((await hive(['validate', 'plan_1'], { env })).code).toBe(1);

    const approved = await hive(['approve', 'plan_1', '--by', 'ann', '--note', 'ok'], { env });
    expect(approved.out).toContain('plan_1 is approved');
    expect(running.oracle.ledger.heard.get('approve')).toEqual({
      id: 'plan_1',
      by: 'ann',
      note: 'ok',
    });
    expect((await hive(['validate', 'plan_1'], { env })).code).toBe(0);

    const dry = await hive(['execute', 'plan_1', '--dry-run'], { env });
    expect(dry.out).toBe('mut_0 would be planned at 5 %\nNothing was written.\n');
    expect((await hive(['canaries'], { env })).out).toBe('No canaries.\n');

    const executed = await hive(['execute', 'plan_1'], { env });
    expect(executed.out.split('\n')).toEqual([
      'mut_0 is canary at 5 %; take it back: hive rollback rollback_mut_0',
      'The gateway serves it.',
      '',
    ]);
    const trials = await hive(['canaries'], { env });
    expect(trials.out).toMatch(
      /helpful_assistant +canary +5 % .*rollback_mut_0 +too few units yet/,
    );

    const back = await hive(['rollback', 'rollback_mut_0'], { env });
    expect(back.out).toBe(
      'Taken back: rollback_mut_0. The policy is abc; the gateway serves it.\n',
    );
    const again = await hive(['rollback', 'rollback_mut_0'], { env });
    expect(again.out).toContain('had been taken back before');
  });

  test('hive analyze shows findings, and its JSON makes a plan through a pipe', async () => {
    const found = await hive(['findings', '--hours', '24', '--limit', '10'], { env });
    expect(found.out).toContain('1 finding, ');
    expect(found.out).toContain('1. 12 of 20 units of helpful_assistant were dissatisfied.');
    expect(running.oracle.ledger.heard.get('analyze')).toEqual({
      time_window_hours: 24,
      event_limit: 10,
    });
    const { out } = await hive(['analyze', '--json'], { env });
    expect(JSON.parse(out)).toEqual({ analysis: running.oracle.ledger.analysis });
    const planned = await hive(['plan', '-'], { env, input: out });
    expect(planned.code).toBe(0);
    expect(running.oracle.ledger.heard.get('plan')).toEqual({
      findings: running.oracle.ledger.analysis,
    });
  });

  test('hive tick waits for a cycle that takes longer than the first answer', async () => {
    const slow = await startAdmin({ limits: { tick_ms: 20 } });
    const gate = Promise.withResolvers<void>();
    slow.oracle.ledger.cycleGate = gate.promise;
    const ticking = hive(['tick', '--admin', slow.url]);
    // The cycle ends once the command has been told that it is running and asks again.
    const { oracle } = slow.deps;
    const seen = oracle.cycle.bind(oracle);
    Object.assign(oracle, {
      cycle: (id: string) => {
        gate.resolve();
        return seen(id);
      },
    });
    const ticked = await ticking;
    expect(ticked).toMatchObject({ code: 0, err: '' });
    expect(ticked.out).toContain('cycle_1 is done.\n  collect   {"calls":3}');
    await slow.admin.close();
  });

  test('hive status says what runs, and as JSON what the API says', async () => {
    const said = await hive(['status'], { env });
    expect(said.code).toBe(0);
    expect(said.out).toContain('Liquid Hive 0.1.0 is ready.');
    expect(said.out).toContain('serves policy abcdef012345; 2 calls are open.');
    expect(said.out).toContain('Process engine (pid 42) is running, restarted 1 time.');
    const { out } = await hive(['status', '--json'], { env });
    expect(JSON.parse(out)).toMatchObject({ ready: true, data_dir: '/data' });
  });

  test('hive says code and message of what the API refuses', async () => {
    const lost = await hive(['approve', 'plan_404'], { env });
    expect(lost).toEqual({
      code: 1,
      out: '',
      err: 'hive: not_found: There is no plan plan_404.\nhive: see: hive plans\n',
    });
    const wrong = await hive(['plans', '--state', 'lost'], { env });
    expect(wrong.code).toBe(1);
    expect(wrong.err).toMatch(/^hive: bad_request: state: .*needs_approval.*\n$/);
  });

  test.each([
    ['{"findings":[]}', 'findings'],
    ['{"analysis":{"id":"analysis_1","findings":[]}}', 'findings'],
    ['{"findings":{"id":"analysis_1","findings":[]}}', 'findings'],
    ['{"mutations":[]}', 'mutations'],
    ['[]', 'mutations'],
  ])('hive plan of %s says that there is nothing to plan, and asks nobody', async (input, what) => {
    running.oracle.ledger.heard.delete('plan');
    const said = await hive(['plan', '-'], { env, input });
    expect(said).toMatchObject({
      code: 0,
      out: `Nothing to plan: there are no ${what}.\n`,
      err: '',
    });
    const json = await hive(['plan', '-', '--json'], { env, input });
    expect(json.out).toBe('{"plan":null}\n');
    expect(running.oracle.ledger.heard.has('plan')).toBe(false);
  });

  test('hive plan says what is wrong with its input', async () => {
    const broken = await hive(['plan', '-'], { env, input: '{"mutations":' });
    expect(broken.code).toBe(1);
    expect(broken.err).toMatch(/^hive: the standard input is not JSON: .*\n$/);
    const lost = await hive(['plan', '/nowhere/plan.json'], { env });
    expect(lost.err).toMatch(/^hive: \/nowhere\/plan.json cannot be read: ENOENT.*\n$/);
  });
});
