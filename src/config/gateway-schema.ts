import { z } from 'zod';
import { bodiesSchema } from './capture-schema.ts';
import { experimentSchema } from './experiment-schema.ts';
import {
  countSchema,
  durationSchema,
  formatVersionSchema,
  jsonObjectSchema,
  nameSchema,
  promptReferenceSchema,
  shareSchema,
} from './schema-parts.ts';

/** `policies/gateway.yaml`. A key stands here only together with the code that obeys it. */

const timeoutsShape = {
  connect_ms: durationSchema.describe('Until the connection stands.'),
  first_token_ms: durationSchema.describe('From the request sent to the first token of a stream.'),
  idle_ms: durationSchema.describe('Between two chunks of an answer.'),
  total_ms: durationSchema.describe('For the whole call.'),
};

const providerSchema = z
  .looseObject({
    use: nameSchema.describe('The dialect: the name of a provider definition.'),
    network: z
      .enum(['public', 'private'])
      .default('public')
      .describe('private: it may also be at an address of this machine or site.'),
  })
  .describe('A dialect with credentials. All other keys are options of the dialect.');

const usdSchema = z.number().min(0).max(100_000);

const priceSchema = z
  .strictObject({
    input_usd: usdSchema.describe('Of the prompt.'),
    output_usd: usdSchema.describe('Of the answer, reasoning included.'),
    cached_input_usd: usdSchema
      .optional()
      .describe('Of the prompt, read from the provider’s cache; by default as `input_usd`.'),
    cache_write_usd: usdSchema
      .optional()
      .describe('Of the prompt, written to the cache; by default as `input_usd`.'),
    cache_write_1h_usd: usdSchema
      .optional()
      .describe('Written to a cache of an hour; by default as `cache_write_usd`.'),
  })
  .describe('USD a million tokens, to six decimals: what `cost_usd` of its calls is made of.');

const targetSchema = z
  .strictObject({
    provider: nameSchema.describe('An entry of `providers`.'),
    model: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe('The provider’s name of the model; of an embedded one, by default its file’s.'),
    fallback_only: z
      .boolean()
      .default(false)
      .describe('Used only if no other target of the agent is live.'),
    timeouts: z
      .strictObject(timeoutsShape)
      .partial()
      .optional()
      .describe('Over `resilience.timeouts`, for this target.'),
    in_flight: countSchema.min(1).optional().describe('Calls in its hands at once, at most.'),
    price: priceSchema.optional(),
  })
  .describe('One model at one provider; it has its own circuit breaker.');

const hedgeSchema = z
  .union([z.literal('off'), z.strictObject({ after_ms: durationSchema.min(1) })])
  .describe('off, or after how long without a first token a second target is asked as well.');

const midstreamSchema = z
  .enum(['error', 'hold'])
  .describe('A stream that breaks off: an error event, or held back whole so it can fall over.');

const fallbacksSchema = z
  .strictObject({
    context_length: z.array(nameSchema).max(100).optional().describe('For prompts too long.'),
    any: z.array(nameSchema).max(100).optional().describe('For any other failure of a target.'),
  })
  .describe('Targets to ask when its own fail, in their order.');

export const agentSchema = z
  .strictObject({
    targets: z
      .union([z.record(nameSchema, z.number().min(0).max(1e9)), z.array(nameSchema).max(100)])
      .describe('Candidates and their relative weights; a list means equal weights.'),
    fallbacks: fallbacksSchema.optional(),
    hedge: hedgeSchema.optional(),
    midstream: midstreamSchema.optional(),
    prompt: promptReferenceSchema
      .optional()
      .describe('A prompt patch: its name (label `production`), or name@version.'),
    adapter: nameSchema.default('none').describe('The LoRA adapter to ask for, or none.'),
    params: jsonObjectSchema
      .default({})
      .describe('Defaults of request fields that the client does not send.'),
    plugins: z
      .record(nameSchema, jsonObjectSchema)
      .default({})
      .describe('Options of plugins by id, for this agent, over those of the plugin’s entry.'),
  })
  .describe('Who a call is for.');

const categorySchema = z
  .strictObject({
    name: nameSchema.describe('What findings and segments call it; `other` is taken.'),
    when: z
      .string()
      .min(1)
      .max(1000)
      .describe('CEL over the facts of `call` (docs/signals.md): true for calls of this category.'),
  })
  .describe('A class of calls; the first whose rule holds names the call’s, else it is `other`.');

const pluginSchema = z
  .strictObject({
    id: nameSchema.optional().describe('By default the same as `use`.'),
    use: nameSchema.describe('The name of a plugin.'),
    on_error: z
      .enum(['skip', 'fail'])
      .default('skip')
      .describe('What becomes of the call when the plugin throws or is slow.'),
    budget_ms: durationSchema.default(50).describe('Time that a hook may take.'),
    options: jsonObjectSchema.default({}).describe('Options of the plugin.'),
  })
  .describe('A plugin: in list order on the way in, in reverse on the way out.');

const keySchema = z
  .strictObject({
    name: nameSchema.describe('What events call it.'),
    sha256: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/, 'not a SHA-256 in hex (64 characters)')
      .describe('SHA-256 of the key, in hex: the key itself stands nowhere.'),
    tenant: nameSchema.default('default').describe('Whose calls these are.'),
    agents: z
      .array(nameSchema)
      .min(1)
      .max(100)
      .optional()
      .describe('The only agents that it may use; all where this is left out.'),
    asserts: z
      .array(z.enum(['user']))
      .max(1)
      .default([])
      .describe('user: memory believes it whom a call is for.'),
  })
  .describe('A key, known by its hash.');

const accessSchema = z.strictObject({
  mode: z
    .enum(['open', 'keys'])
    .default('open')
    .describe('open: no keys, on a loopback address only. keys: nobody without one of `keys`.'),
  keys: z.array(keySchema).max(10_000).default([]).describe('Who has a key.'),
});

const backoffSchema = z
  .tuple([durationSchema, durationSchema])
  .refine(([least, most]) => least <= most, 'the first number must not exceed the second');

const resilienceSchema = z.strictObject({
  timeouts: z
    .strictObject({
      connect_ms: timeoutsShape.connect_ms.default(2000),
      first_token_ms: timeoutsShape.first_token_ms.default(15_000),
      idle_ms: timeoutsShape.idle_ms.default(30_000),
      total_ms: timeoutsShape.total_ms.default(600_000),
    })
    .prefault({}),
  retry: z
    .strictObject({
      retries: z.int().min(0).max(10).default(2).describe('Further attempts, over all targets.'),
      budget: z
        .number()
        .min(0)
        .max(10)
        .default(0.2)
        .describe('Further attempts of all calls together, as a share of the calls.'),
      backoff_ms: backoffSchema.default([250, 8000]).describe('The least and the longest pause.'),
    })
    .prefault({}),
  breaker: z
    .strictObject({
      errors: shareSchema.default(0.5).describe('Share of errors that opens a target’s breaker.'),
      calls_min: countSchema.default(20).describe('Calls in 10 s before it may open.'),
      failures: countSchema.min(1).default(3).describe('Failures in a row that open it as well.'),
      open_ms: durationSchema
        .default(10_000)
        .describe('The measure of how long it stays open (docs/resilience.md).'),
    })
    .prefault({}),
  escalation: z
    .strictObject({
      most: countSchema.max(10).default(2).describe('Further answers of one call.'),
      budget: shareSchema
        .default(1)
        .describe('Of all calls together, as a share of those checked.'),
    })
    .prefault({})
    .describe('Answers that a plugin refuses before the first byte, so that another is asked.'),
  hedge: hedgeSchema.default('off'),
  overload: z
    .strictObject({
      in_flight: z
        .union([z.literal('adaptive'), countSchema.min(1)])
        .default('adaptive')
        .describe('Calls that wait for a first byte: a number, or by the time that it takes.'),
      queue_ms: durationSchema.default(2000).describe('How long further calls wait for a place.'),
      queue_max: countSchema.default(1000).describe('How many of them.'),
      bytes_max: countSchema
        .min(1024)
        .default(256 * 1024 * 1024)
        .describe('Request bodies and held answers in memory, of all calls together.'),
    })
    .prefault({}),
  midstream: midstreamSchema.default('error'),
  hold_bytes_max: z
    .int()
    .min(1024)
    .max(64 * 1024 * 1024)
    .default(1024 * 1024)
    .describe('The longest answer that is held; a longer one is passed on as it comes.'),
});

export const gatewaySchema = z.strictObject({
  version: formatVersionSchema,
  providers: z.record(nameSchema, providerSchema).describe('Where models are.'),
  targets: z.record(nameSchema, targetSchema).describe('Which models there are.'),
  agents: z.record(nameSchema, agentSchema).describe('Who calls are for.'),
  categories: z
    .array(categorySchema)
    .max(32)
    .optional()
    .describe('Into which classes calls fall, in the order in which they are tried.'),
  experiments: z
    .record(nameSchema, experimentSchema)
    .optional()
    .describe('A/B tests; who takes one out ends it.'),
  plugins: z.array(pluginSchema).max(100).default([]).describe('What is in the path of a call.'),
  resilience: resilienceSchema.prefault({}).describe('What happens when targets fail.'),
  access: accessSchema.prefault({}).describe('Who may call.'),
  limits: z
    .strictObject({
      body_bytes_max: z
        .int()
        .min(1024)
        .max(256 * 1024 * 1024)
        .default(4 * 1024 * 1024)
        .describe('The largest request body.'),
      connections_per_address: countSchema
        .min(1)
        .default(8192)
        .describe(
          'Open connections of one client address (IPv6: of its /64), loopback aside: more are ' +
            'closed. Raise it where all clients come through one proxy.',
        ),
    })
    .prefault({}),
  capture: z
    .strictObject({
      feedback_text: z
        .boolean()
        .default(true)
        .describe('Whether the words of corrections and comments are stored.'),
      bodies: bodiesSchema,
    })
    .prefault({}),
  store: z
    .strictObject({
      events_days: z
        .number()
        .positive()
        .max(3650)
        .default(7)
        .describe('Days that events are kept.'),
    })
    .prefault({}),
});

export type GatewayFile = z.output<typeof gatewaySchema>;
