import { z } from 'zod';
import { gatewaySchema } from './gateway-schema.ts';
import { oracleSchema } from './oracle-schema.ts';
import { pipelineSchema } from './pipeline-schema.ts';
import { promptSchema } from './prompt-schema.ts';

export interface JsonSchema {
  readonly description?: string;
  readonly const?: string | number | boolean | null;
  readonly [key: string]: unknown;
}

const SCHEMAS = {
  'gateway.schema.json': [gatewaySchema, 'policies/gateway.yaml'],
  'oracle_policies.schema.json': [oracleSchema, 'policies/oracle_policies.yaml'],
  'pipeline.schema.json': [pipelineSchema, 'policies/pipeline.yaml'],
  'prompt.schema.json': [promptSchema, 'policies/prompts/*.yaml'],
} as const;

/**
 * JSON Schemas of the policy files, for editors: by file name in `policies/`. Options of providers
 * and plugins stay open there; the loader checks them against their definitions.
 */
export function policySchemas(): Readonly<Record<string, JsonSchema>> {
  return Object.fromEntries(
    Object.entries(SCHEMAS).map(([name, [schema, title]]) => [
      name,
      { title, ...(z.toJSONSchema(schema, { io: 'input' }) as JsonSchema) },
    ]),
  );
}
