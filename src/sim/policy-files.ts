import { gatewaySchema } from '../config/gateway-schema.ts';
import { normalize } from '../config/normalize.ts';
import { oracleSchema } from '../config/oracle-schema.ts';
import { pipelineSchema } from '../config/pipeline-schema.ts';
import { promptSchema } from '../config/prompt-schema.ts';
import type { LoadedPolicy } from '../config/snapshot.ts';
import type { Switches } from '../core/policy.ts';
import type { Scenario } from './scenario.ts';

/**
 * A world's policy as the files that a gateway reads: one for both drivers, so that they cannot
 * differ in what the oracle may do. Each model has a provider of its own, for its path tells the
 * simulated upstream who is asked, also where an adapter's name stands for the model's.
 */
export interface WorldFiles {
  readonly 'gateway.yaml': object;
  readonly 'pipeline.yaml': object;
  readonly 'oracle_policies.yaml': object;
  readonly [prompt: `prompts/${string}.yaml`]: object;
}

const SWITCHES: Switches = {
  feedback_loop: true,
  oracle: true,
  lora_hotplug: true,
  auto_rollback: true,
  safety_checks: true,
};

/** Retries, breakers and hedges are no part of a world: a call is one attempt at one model. */
const RESILIENCE = {
  retry: { retries: 0 },
  breaker: { errors: 1, calls_min: 1_000_000, failures: 1_000_000 },
  overload: { in_flight: 10_000 },
};

export function worldFiles(scenario: Scenario, upstream_url: string): WorldFiles {
  const models = Object.keys(scenario.models);
  const adapters = Object.keys(scenario.adapters);
  const prompts = Object.keys(scenario.prompts);
  return {
    'gateway.yaml': {
      version: 1,
      providers: entries(models, (model) => ({
        use: 'vllm',
        network: 'private',
        base_url: `${upstream_url}/${model}/v1`,
        adapters,
      })),
      targets: entries(models, (model) => ({ provider: model, model })),
      agents: scenario.agents,
      plugins: [{ use: 'prompt-patcher' }, { use: 'lora-hotplug' }, { use: 'model-router' }],
      resilience: RESILIENCE,
    },
    'pipeline.yaml': {
      version: 1,
      schedule: { every_ms: scenario.tick_minutes * 60_000, jitter: 0 },
    },
    'oracle_policies.yaml': {
      version: 1,
      bounds: {
        '/agents/*/targets': { add_from: models, min_left: 1, step_max: 1 },
        '/agents/*/prompt': { candidates: prompts, ops: ['system.append'], tokens_added_max: 1000 },
        '/agents/*/adapter': { allow: adapters },
      },
      ...scenario.oracle,
    },
    ...promptFiles(scenario),
  };
}

/** The text by which the simulated upstream knows which prompt a call carries. */
export function promptText(reference: string, text = ''): string {
  return `[sim prompt ${reference}]${text === '' ? '' : ` ${text}`}`;
}

export function promptIn(system: string): string | null {
  return /\[sim prompt ([^\]]+)\]/.exec(system)?.[1] ?? null;
}

function promptFiles({ prompts }: Scenario): Record<`prompts/${string}.yaml`, object> {
  const files: Record<string, Record<string, object>> = {};
  for (const [reference, { text }] of Object.entries(prompts)) {
    const [name = '', version = ''] = reference.split('@', 2);
    const ops = [{ op: 'system.append', text: promptText(reference, text) }];
    files[name] = { ...files[name], [version]: { ops } };
  }
  return Object.fromEntries(
    Object.entries(files).map(([name, versions]) => [
      `prompts/${name}.yaml`,
      { version: 1, name, versions },
    ]),
  );
}

/** The same files as a gateway would have loaded them. Throws a ZodError where one is wrong. */
export function worldPolicy(scenario: Scenario): LoadedPolicy {
  const files = worldFiles(scenario, 'http://127.0.0.1:1');
  const named = Object.entries(files).filter(([name]) => name.startsWith('prompts/'));
  const parsed = {
    gateway: gatewaySchema.parse(files['gateway.yaml']),
    pipeline: pipelineSchema.parse(files['pipeline.yaml']),
    oracle: oracleSchema.parse(files['oracle_policies.yaml']),
    prompts: named.map(([file, data]) => ({ file, data: promptSchema.parse(data) })),
  };
  const { policy, contents } = normalize(parsed, SWITCHES, {});
  return { policy, contents, source_sha256: '', notices: [], origins: new Map() };
}

function entries<Value>(names: readonly string[], of: (name: string) => Value) {
  return Object.fromEntries(names.map((name) => [name, of(name)]));
}
