import { z } from 'zod';
import { nameSchema, shareSchema } from '../config/schema-parts.ts';

/** `src/sim/worlds/*.yaml`: a simulated world. Days are days of policy time since its beginning. */

const dayMoment = z.number().min(0).max(400);
const factor = z.number().positive().max(1000);
const shift = z.number().min(-1).max(1);
const count = z.int().min(0).max(100_000);
const promptReference = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_.-]*@[1-9]\d*$/, 'not a prompt: write name@version');

const modelSchema = z.strictObject({
  quality: shareSchema.describe('Chance that an answer satisfies an even-tempered user.'),
  by_category: z.record(nameSchema, shareSchema).default({}).describe('Quality by intent.'),
  latency_ms: z.number().positive().max(600_000).default(800).describe('Median of the latency.'),
  spread: z.number().min(0).max(3).default(0.4).describe('Standard deviation of its logarithm.'),
  first_token: shareSchema.default(0.3).describe('The share of the latency until a first token.'),
  errors: shareSchema.default(0.005).describe('Chance that a call fails.'),
  tokens_out: z.number().positive().max(100_000).default(200).describe('Median.'),
  usd_per_mtok: z.number().min(0).max(10_000).default(1).describe('Price of a million tokens.'),
});

/** What a change does to a model: added to shares, and factors of the rest. */
const effectShape = {
  quality: shift.default(0),
  by_category: z.record(nameSchema, shift).default({}).describe('Added to quality, by intent.'),
  latency: factor.default(1),
  errors: shift.default(0),
  tokens_out: factor.default(1),
  price: factor.default(1),
};

const promptSchema = z.strictObject({ ...effectShape, text: z.string().max(2000).optional() });
const adapterSchema = z.strictObject({ ...effectShape });

const agentSchema = z.strictObject({
  targets: z.record(nameSchema, z.number().min(0).max(1000)).describe('Models and weights.'),
  prompt: promptReference.optional(),
  adapter: nameSchema.default('none'),
});

const populationSchema = z.strictObject({
  agent: nameSchema,
  count: count.describe('Users.'),
  tenant: nameSchema.default('default'),
  calls_per_day: z.number().min(0).max(10_000).describe('Of each user, on average.'),
  turns: z.number().min(1).max(50).default(1).describe('Calls of a session, on average.'),
  intents: z.record(nameSchema, z.number().positive()).default({ chat: 1 }),
  patience_ms: z.number().positive().max(3_600_000).default(30_000).describe('Median.'),
  mood: shareSchema.default(0.05).describe('Standard deviation between users of what satisfies.'),
  rates: shareSchema.default(0.2).describe('The share of answers that they rate.'),
  judges: z.enum(['stars', 'thumbs', 'complaints']).default('stars'),
  honesty: shareSchema.default(0.97).describe('The rest say the opposite of what they think.'),
  says: z.number().min(1).max(5).optional().describe('They give this rating whatever they got.'),
  retries: shareSchema.default(0.5).describe('Chance to try again after an error.'),
  regenerates: shareSchema.default(0.1).describe('Chance to ask again for a better answer.'),
  calls: z.boolean().default(true).describe('false: they rate the agent and never call it.'),
  from: dayMoment.default(0),
  until: dayMoment.optional(),
});

const happeningSchema = z
  .strictObject({
    day: dayMoment,
    until: dayMoment.optional().describe('It recovers; without it, it stays.'),
    ramp_hours: z.number().min(0).max(2400).default(0).describe('How long it takes to grow.'),
    model: nameSchema.optional(),
    users: nameSchema.optional(),
    ...effectShape,
    down: z.boolean().default(false).describe('Every call of the model fails.'),
    traffic: factor.default(1).describe('Of a population.'),
  })
  .refine((one) => (one.model === undefined) !== (one.users === undefined), {
    message: 'name either a model or users',
  });

const truthSchema = z.strictObject({
  agent: nameSchema,
  target: nameSchema.optional(),
  category: nameSchema.optional(),
  metrics: z.array(z.string()).min(1),
  from: dayMoment.default(0),
  until: dayMoment.optional(),
});

export const scenarioSchema = z.strictObject({
  version: z.literal(1),
  summary: z.string().min(1).max(300),
  days: z.number().positive().max(400).default(10),
  tick_minutes: z.int().min(1).max(1440).default(60).describe('Between two cycles.'),
  worth_usd: z.number().min(0).max(1000).default(0.02).describe('What a satisfied call is worth.'),
  models: z.record(nameSchema, modelSchema),
  prompts: z.record(promptReference, promptSchema).default({}),
  adapters: z.record(nameSchema, adapterSchema).default({}),
  agents: z.record(nameSchema, agentSchema),
  users: z.record(nameSchema, populationSchema),
  season: z
    .strictObject({
      daily: shareSchema.default(0).describe('How much of the traffic the night lacks.'),
      weekly: shareSchema.default(0).describe('How much of it the weekend lacks.'),
      peak_hour: z.number().min(0).max(24).default(14),
    })
    .prefault({}),
  feedback: z
    .strictObject({
      delay_minutes: z.number().min(0).max(10_000).default(3).describe('On average.'),
      lost: shareSchema.default(0),
      unnamed: shareSchema.default(0.1).describe('Names its session instead of the call.'),
    })
    .prefault({}),
  happenings: z.array(happeningSchema).max(100).default([]),
  truth: z
    .array(truthSchema)
    .default([])
    .describe('What is wrong beside what the happenings do; a finding of it is no false alarm.'),
  person: z
    .strictObject({
      approves: z.boolean().default(true),
      after_minutes: z.number().min(0).default(30),
    })
    .prefault({})
    .describe('Who decides about plans that need an approval.'),
  oracle: z
    .record(z.string(), z.unknown())
    .default({})
    .describe('Parts of oracle_policies.yaml, over the defaults.'),
});

export type Scenario = z.output<typeof scenarioSchema>;
export type ScenarioInput = z.input<typeof scenarioSchema>;
export type Model = Scenario['models'][string];
export type Population = Scenario['users'][string];
export type Happening = Scenario['happenings'][number];
export type Effect = Pick<
  Happening,
  'quality' | 'by_category' | 'latency' | 'errors' | 'tokens_out' | 'price'
>;

/** A world with its name, which is its file's. */
export interface World {
  readonly name: string;
  readonly scenario: Scenario;
}

/** Names that lead nowhere, each with the path where it stands. */
export function referenceProblems(
  scenario: Scenario,
): readonly { readonly path: readonly (string | number)[]; readonly message: string }[] {
  const problems: { path: readonly (string | number)[]; message: string }[] = [];
  const need = (known: object, name: string, what: string, path: (string | number)[]): void => {
    if (!Object.hasOwn(known, name))
      problems.push({ path, message: `there is no ${what} ${name}` });
  };
  const { models, agents, users, adapters, prompts } = scenario;
  for (const [name, agent] of Object.entries(agents)) {
    for (const target of Object.keys(agent.targets)) {
      need(models, target, 'model', ['agents', name, 'targets', target]);
    }
    if (agent.adapter !== 'none')
      need(adapters, agent.adapter, 'adapter', ['agents', name, 'adapter']);
    if (agent.prompt) need(prompts, agent.prompt, 'prompt', ['agents', name, 'prompt']);
  }
  for (const [name, { agent }] of Object.entries(users)) {
    need(agents, agent, 'agent', ['users', name, 'agent']);
  }
  for (const [index, { model, users: whom }] of scenario.happenings.entries()) {
    if (model) need(models, model, 'model', ['happenings', index, 'model']);
    if (whom) need(users, whom, 'users', ['happenings', index, 'users']);
  }
  for (const [index, { agent, target }] of scenario.truth.entries()) {
    need(agents, agent, 'agent', ['truth', index, 'agent']);
    if (target) need(models, target, 'model', ['truth', index, 'target']);
  }
  return problems;
}
