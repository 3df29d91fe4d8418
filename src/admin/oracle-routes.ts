import type { Context } from 'hono';
import { z } from 'zod';
import { GatewayError, messageOf } from '../core/errors.ts';
import type { PlanState } from '../core/oracle.ts';
import type { Cycle, Oracle, PlanInput } from '../oracle/oracle.ts';
import { type AdminDeps, type AdminLimits, limitsOf } from './admin-deps.ts';
import type { AdminEnv } from './admin-env.ts';
import { readBody, readQuery } from './body.ts';
import { LATE, within } from './deadline.ts';
import type { Route } from './route.ts';

const PLAN_STATES = [
  'proposed',
  'needs_approval',
  'approved',
  'rejected',
  'failed',
  'executed',
  'expired',
] as const satisfies readonly PlanState[];

/** Findings and plans are rows of ours: the oracle compares them whole, so they pass unread. */
const present = z.unknown().refine((value) => value !== undefined && value !== null, 'required');

const analyzeBody = z.strictObject({
  time_window_hours: z.number().positive().max(8760).optional(),
  event_limit: z.number().int().min(1).max(1_000_000).optional(),
});
const mutationBody = z.strictObject({
  type: z.string().min(1),
  agent: z.string().min(1),
  patch: z.record(z.string(), z.json()),
  primary: z.string().optional(),
  why: z.string().max(2000).optional(),
});
const planBody = z
  .strictObject({
    findings: z.unknown().optional(),
    mutations: z.array(mutationBody).max(100).optional(),
  })
  .refine(
    (body) => (body.findings === undefined) !== (body.mutations === undefined),
    'send either findings (an analysis, findings or their ids) or mutations (your own plan)',
  );
const validateBody = z.strictObject({ plan: present });
const executeBody = z.strictObject({ plan: present, dry_run: z.boolean().default(false) });
const rollbackBody = z.strictObject({
  rollback_key: z.string().min(1).max(200),
  emergency: z.boolean().default(false),
});
const tickBody = z.strictObject({});
const answerBody = z.strictObject({
  by: z.string().min(1).max(200).nullish(),
  note: z.string().max(2000).nullish(),
});
const plansQuery = z.strictObject({ state: z.enum(PLAN_STATES).optional() });
const cyclesQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).default(20),
});

/** The oracle over HTTP: each answer as `docs/api.md` lays it down, each within `answer_ms`. */
export function oracleRoutes(deps: AdminDeps): readonly Route[] {
  const asker = createAsker(deps, limitsOf(deps));
  return [...stageRoutes(deps.oracle, asker), ...ledgerRoutes(deps.oracle, asker)].map((route) => ({
    ...route,
    path: `/api/v1/oracle${route.path}`,
  }));
}

interface Asker {
  /** Waits for the oracle, but no longer than a client would. */
  readonly ask: <Value>(work: Promise<Value>) => Promise<Value>;
  readonly tick: (oracle: Oracle) => Promise<Cycle>;
}

function createAsker(deps: AdminDeps, limits: AdminLimits): Asker {
  const hear = (thrown: unknown): void =>
    deps.log.warn('the oracle failed after its asker was answered', { reason: messageOf(thrown) });

  const ask = async <Value>(work: Promise<Value>, limit_ms = limits.answer_ms): Promise<Value> => {
    const result = await within(work, limit_ms, hear);
    if (result !== LATE) return result;
    throw new GatewayError(
      'not_ready',
      'The oracle is still at it. It goes on: look again with GET plans, cycles or canaries.',
      { retry_after_s: 2 },
    );
  };
  return {
    ask: (work) => ask(work),
    tick: async (oracle) => {
      const result = await within(oracle.tick(), limits.tick_ms, hear);
      if (result !== LATE) return result;
      const left_ms = Math.max(50, limits.answer_ms - limits.tick_ms);
      const newest = await ask(oracle.cycles(5), left_ms);
      const cycle = newest.find(({ state }) => state === 'running') ?? newest[0];
      if (cycle) return cycle;
      throw new GatewayError('not_ready', 'The cycle has not begun yet; ask for it again.', {
        retry_after_s: 2,
      });
    },
  };
}

function stageRoutes(oracle: Oracle, { ask, tick }: Asker): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/analyze',
      summary: 'collects and analyzes now',
      async handle(c) {
        const body = await readBody(c, analyzeBody);
        return c.json({ analysis: await ask(oracle.analyze(body)) });
      },
    },
    {
      method: 'POST',
      path: '/plan',
      summary: 'makes a plan of findings, or takes your own mutations',
      async handle(c) {
        const body = await readBody(c, planBody);
        return c.json({ plan: await ask(oracle.plan(body as PlanInput)) });
      },
    },
    {
      method: 'POST',
      path: '/validate',
      summary: 'runs the gates on a plan',
      async handle(c) {
        const body = await readBody(c, validateBody);
        return c.json(await ask(oracle.validate(body.plan)));
      },
    },
    {
      method: 'POST',
      path: '/execute',
      summary: 'starts a plan’s canaries; dry_run writes nothing',
      async handle(c) {
        const { plan, dry_run } = await readBody(c, executeBody);
        return c.json(await ask(oracle.execute(plan, { dry_run })));
      },
    },
    {
      method: 'POST',
      path: '/rollback',
      summary: 'takes an applied or canaried change back',
      async handle(c) {
        const body = await readBody(c, rollbackBody);
        return c.json(await ask(oracle.rollback(body)));
      },
    },
    {
      method: 'POST',
      path: '/tick',
      summary: 'runs one cycle; 202 while it still runs',
      async handle(c) {
        await readBody(c, tickBody);
        const cycle = await tick(oracle);
        return c.json({ cycle }, cycle.state === 'running' ? 202 : 200);
      },
    },
  ];
}

function ledgerRoutes(oracle: Oracle, { ask }: Asker): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/cycles',
      summary: 'the newest cycles; ?limit=',
      async handle(c) {
        const { limit } = readQuery(c, cyclesQuery);
        return c.json({ cycles: await ask(oracle.cycles(limit)) });
      },
    },
    {
      method: 'GET',
      path: '/cycles/:id',
      summary: 'one cycle with a column a stage',
      handle: async (c) => c.json({ cycle: await ask(oracle.cycle(idOf(c))) }),
    },
    {
      method: 'GET',
      path: '/plans',
      summary: 'the plans; ?state=',
      async handle(c) {
        const { state } = readQuery(c, plansQuery);
        return c.json({ plans: await ask(oracle.plans(state ?? null)) });
      },
    },
    {
      method: 'GET',
      path: '/plans/:id',
      summary: 'one plan',
      handle: async (c) => c.json({ plan: await ask(oracle.planById(idOf(c))) }),
    },
    {
      method: 'POST',
      path: '/plans/:id/approve',
      summary: 'lets a plan that waits be executed',
      async handle(c) {
        const { by, note } = await readBody(c, answerBody);
        return c.json({ plan: await ask(oracle.approve(idOf(c), by ?? null, note ?? null)) });
      },
    },
    {
      method: 'POST',
      path: '/plans/:id/reject',
      summary: 'ends a plan',
      async handle(c) {
        const { by, note } = await readBody(c, answerBody);
        return c.json({ plan: await ask(oracle.reject(idOf(c), by ?? null, note ?? null)) });
      },
    },
    {
      method: 'GET',
      path: '/canaries',
      summary: 'what is on trial, its share and its last judgement',
      handle: async (c) => c.json({ canaries: await ask(oracle.canaries()) }),
    },
    {
      method: 'GET',
      path: '/mutations',
      summary: 'what was executed, newest first, with the keys that take it back',
      handle: async (c) => c.json({ mutations: await ask(oracle.mutations()) }),
    },
  ];
}

/** The route's pattern has `:id`, so it is always there. */
function idOf(c: Context<AdminEnv>): string {
  return c.req.param('id') ?? '';
}
