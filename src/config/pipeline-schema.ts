import { z } from 'zod';
import { countSchema, formatVersionSchema, nameSchema } from './schema-parts.ts';

/** `policies/pipeline.yaml`: the oracle's schedule, and its six stages with their options. */

const STAGES = ['collect', 'analyze', 'decide', 'validate', 'execute', 'monitor'] as const;

const collectSchema = z.strictObject({
  name: z.literal('collect'),
  options: z
    .strictObject({
      window_hours: z.number().positive().max(720).default(24).describe('What a cycle looks at.'),
      event_limit: countSchema.default(100_000).describe('Ids of calls kept as evidence.'),
    })
    .prefault({}),
});

const analyzeSchema = z.strictObject({
  name: z.literal('analyze'),
  options: z
    .strictObject({
      detectors: z
        .union([z.literal('all'), z.array(nameSchema)])
        .default('all')
        .describe('Which detectors run.'),
    })
    .prefault({}),
});

const plainSchema = z.strictObject({
  name: z.enum(['decide', 'validate', 'execute', 'monitor']),
  options: z.strictObject({}).prefault({}),
});

const stageSchema = z.discriminatedUnion('name', [collectSchema, analyzeSchema, plainSchema]);

export const pipelineSchema = z.strictObject({
  version: formatVersionSchema,
  schedule: z
    .strictObject({
      every_ms: z.number().min(250).max(86_400_000).default(60_000).describe('Between two cycles.'),
      jitter: z.number().min(0).max(1).default(0.1).describe('Share of it that chance adds.'),
    })
    .prefault({}),
  pipeline: z
    .array(stageSchema)
    .refine(
      (stages) => stages.map((stage) => stage.name).join() === STAGES.join(),
      `the stages are ${STAGES.join(', ')}, in this order`,
    )
    .prefault(STAGES.map((name) => ({ name }) as z.input<typeof stageSchema>))
    .describe('The stages of a cycle and their options.'),
});

export type PipelineFile = z.output<typeof pipelineSchema>;
