import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { type Environment, readEnvironment } from '../../src/config/env.ts';
import type { HostFactory } from '../../src/config/hosts.ts';
import { type LoadInput, loadPolicy } from '../../src/config/load.ts';
import type { LoadedPolicy } from '../../src/config/snapshot.ts';
import { registryOf } from '../../src/core/definition.ts';
import { GatewayError } from '../../src/core/errors.ts';
import type { Row } from '../../src/core/oracle.ts';
import type { PluginDefinition, PluginHost, PluginRegistry } from '../../src/core/plugin.ts';
import type { Provider, ProviderDefinition, ProviderRegistry } from '../../src/core/provider.ts';

/** A provider that remembers what it was made with; nothing of it is ever asked. */
export interface TestProvider extends Provider {
  readonly made_with: unknown;
}

function provider(adapters: readonly string[], made_with: unknown): TestProvider {
  const never = (): never => {
    throw new Error('configuration asks no upstream');
  };
  return {
    base_url: '',
    adapters,
    endpoints: [],
    made_with,
    encode: never,
    decode: never,
    openStream: never,
  };
}

interface RemoteOptions {
  api_key?: string | undefined;
  base_url?: string | undefined;
}

const remote: ProviderDefinition<RemoteOptions> = {
  name: 'remote',
  summary: 'An upstream with a key.',
  secrets: ['api_key'],
  options: z.strictObject({
    api_key: z.string().min(1).optional(),
    base_url: z.url().optional(),
  }),
  create: (options) => provider([], options),
};

interface FileOptions {
  model: string;
  adapters: Record<string, string>;
}

const engine: ProviderDefinition<FileOptions> = {
  name: 'engine',
  summary: 'A model file.',
  secrets: [],
  options: z.strictObject({
    model: z.string(),
    adapters: z.record(z.string(), z.string()).default({}),
  }),
  files: (options) => [options.model, ...Object.values(options.adapters)],
  engine: (options) => ({ ...options, context_tokens: 512, slots: 1 }),
  create: (options) => provider(Object.keys(options.adapters), options),
};

export const testProviders = registryOf([remote, engine] as never[]) as unknown as ProviderRegistry;

/** What the test plugins were made with, in order. */
export interface Made {
  readonly options: unknown;
  readonly host: PluginHost;
}

export function testPlugins(made: Made[] = []): PluginRegistry {
  const cache: PluginDefinition<{ ttl_ms: number; mode?: string | undefined }> = {
    name: 'cache',
    summary: 'Keeps answers.',
    options: z.strictObject({ ttl_ms: z.number().default(5), mode: z.string().optional() }),
    create(options, host) {
      if (options.ttl_ms === 13) throw new Error('13 is refused');
      made.push({ options, host });
      return {};
    },
  };
  const plain: PluginDefinition<Record<string, never>> = {
    name: 'plain',
    summary: 'Does nothing.',
    options: z.strictObject({}) as never,
    create: () => ({}),
  };
  return registryOf([cache, plain] as never[]) as PluginRegistry;
}

/** A reference to a variable, as YAML has it. */
export const ref = (name: string): string => ['$', '{', name, '}'].join('');

export const GATEWAY = `version: 1
providers:
  cloud: { use: remote, api_key: "\${CLOUD_KEY}", base_url: "\${CLOUD_URL:-https://cloud.test/v1}" }
  local: { use: engine, model: models/small.gguf, adapters: { upper: models/upper.gguf } }
targets:
  big: { provider: cloud, model: big-1 }
  small: { provider: local, fallback_only: true }
agents:
  helper:
    targets: { big: 0.8, small: 0.2 }
    prompt: tone
    plugins: { cache: { mode: fast } }
  default: { targets: [big, small] }
plugins:
  - { use: cache, options: { ttl_ms: 7 } }
  - { use: plain }
`;

export const ORACLE = `version: 1
bounds:
  /agents/*/targets: { add_from: [big, small], min_left: 1 }
  /agents/*/params/temperature: { min: 0, max: 1 }
  /agents/*/adapter: { allow: [upper] }
  /agents/*/prompt: { candidates: [tone@2] }
  /agents/*/plugins/cache/ttl_ms: { min: 0, max: 100 }
`;

export const TONE = `version: 1
name: tone
versions:
  1: { ops: [{ op: system.append, text: Be kind. }] }
  2: { ops: [{ op: system.append, text: Be brief. }] }
labels: { production: 1 }
`;

export const FILES: Readonly<Record<string, string>> = {
  'policies/gateway.yaml': GATEWAY,
  'policies/oracle_policies.yaml': ORACLE,
  'policies/pipeline.yaml': 'version: 1\n',
  'policies/prompts/tone.yaml': TONE,
  'models/small.gguf': 'weights',
  'models/upper.gguf': 'adapter',
};

/** A folder of its own that goes when the test ends; null leaves a file out. */
export function makeFolder(files: Readonly<Record<string, string | null>> = FILES): string {
  const folder = mkdtempSync(join(tmpdir(), 'hive-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    if (text === null) continue;
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

export function inputOf(
  folder: string,
  env: Readonly<Record<string, string>> = { CLOUD_KEY: 'secret-key' },
): LoadInput & { readonly environment: Environment } {
  return {
    dir: join(folder, 'policies'),
    environment: readEnvironment({ ...env }),
    providers: testProviders,
    plugins: testPlugins(),
  };
}

export function load(
  changed: Readonly<Record<string, string | null>> = {},
  env?: Readonly<Record<string, string>>,
): LoadedPolicy {
  return loadPolicy(inputOf(makeFolder({ ...FILES, ...changed }), env));
}

/** The lines of the error that these files are refused with. */
export function linesOf(
  changed: Readonly<Record<string, string | null>>,
  env?: Readonly<Record<string, string>>,
): readonly string[] {
  const error = thrownBy(() => load(changed, env));
  return error.message.split('\n');
}

export function thrownBy(run: () => unknown): GatewayError {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof GatewayError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was thrown');
}

export function makeHosts(): HostFactory & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    pluginHost(agent, plugin_id) {
      asked.push(`${agent}/${plugin_id}`);
      return {
        agent,
        condition: () => () => false,
        routes: () => null,
        keep: (_id, make) => make(),
        monotonic_ms: () => 0,
        policy_ms: () => 0,
      };
    },
    providerHost: (name) => ({ name, engineUrl: () => '' }),
  };
}

/** A row that asks for an adapter, as the oracle would write it. */
export function adapterRow(over: Partial<Row> = {}): Row {
  return {
    seq: 1,
    id: 'mut_1',
    rollback_key: 'rollback_1',
    type: 'LORA_APPLY',
    agent: 'helper',
    state: 'applied',
    touches: ['/agents/helper/adapter'],
    before: { '/agents/helper/adapter': 'none' },
    patch: { agents: { helper: { adapter: 'upper' } } },
    ...over,
  };
}

export function temperatureRow(value: number, over: Partial<Row> = {}): Row {
  return adapterRow({
    seq: 2,
    id: 'mut_2',
    rollback_key: 'rollback_2',
    type: 'PARAM_SET',
    touches: ['/agents/helper/params/temperature'],
    before: { '/agents/helper/params/temperature': null },
    patch: { agents: { helper: { params: { temperature: value } } } },
    ...over,
  });
}

/** The fixture's gateway.yaml with one thing changed. */
export function gatewayWith(from: string, to: string): Readonly<Record<string, string>> {
  if (!GATEWAY.includes(from)) throw new Error(`no ${from} in the fixture`);
  return { 'policies/gateway.yaml': GATEWAY.replace(from, to) };
}
