import { type ScenarioInput, scenarioSchema, type World } from '../../src/sim/scenario.ts';

/** People who rate and write of several things, and of another tenant who only complain. */
export const TWO_TENANTS = {
  people: { agent: 'helper', count: 60, calls_per_day: 5, turns: 2, intents: { chat: 2, code: 1 } },
  others: { agent: 'helper', tenant: 'acme', count: 20, calls_per_day: 3, judges: 'complaints' },
} satisfies ScenarioInput['users'];

/** A small world of two equal models; a test names only what matters to it. */
export function smallWorld(change: Partial<ScenarioInput> = {}): World {
  const model = { quality: 0.9, latency_ms: 500, errors: 0.01 };
  const scenario = scenarioSchema.parse({
    version: 1,
    summary: 'small',
    days: 2,
    tick_minutes: 360,
    models: { a: model, b: model },
    agents: { helper: { targets: { a: 1, b: 1 } } },
    users: { people: { agent: 'helper', count: 50, calls_per_day: 4 } },
    ...change,
  });
  return { name: 'small', scenario };
}
