import type { AccessKey, AccessPolicy } from '../core/access-policy.ts';
import { digestOf } from '../core/canonical.ts';
import type { NamedList, PluginEntry, Policy, PromptEntry, Switches } from '../core/policy.ts';
import type { PromptVersion } from '../core/prompt/version.ts';
import { captureOf } from './capture-schema.ts';
import type { GatewayFile } from './gateway-schema.ts';
import type { OracleFile } from './oracle-schema.ts';
import type { PipelineFile } from './pipeline-schema.ts';
import type { PromptFile } from './prompt-schema.ts';
import type { Path } from './yaml-file.ts';

/** The parsed files. A prompt keeps its file's name, since there are many. */
export interface ParsedFiles {
  readonly gateway: GatewayFile;
  readonly pipeline: PipelineFile;
  readonly oracle: OracleFile;
  readonly prompts: readonly { readonly file: string; readonly data: PromptFile }[];
}

/** That a part of the policy was written at a path of a file. */
export interface Place {
  readonly tokens: readonly string[];
  readonly file: string;
  readonly path: Path;
}

export interface Normalized {
  readonly policy: Policy;
  readonly contents: Readonly<Record<string, PromptVersion>>;
  readonly places: readonly Place[];
}

/**
 * From what people write to what rows patch and versions hash: lists of named things become
 * `{order, by}`, a list of targets becomes even weights, and prompts become digests.
 */
export function normalize(
  files: ParsedFiles,
  switches: Switches,
  digests: Readonly<Record<string, string>>,
): Normalized {
  const { gateway, oracle, pipeline } = files;
  const prompts = normalizePrompts(files.prompts);
  const plugins = gateway.plugins.map(({ id, ...entry }) => [id ?? entry.use, entry] as const);
  const categories = (gateway.categories ?? []).map(({ name, when }) => [name, { when }] as const);
  const { cost: _unused, ...thresholds } = oracle.thresholds;
  const policy: Policy = {
    version: 1,
    providers: gateway.providers as Policy['providers'],
    targets: gateway.targets,
    agents: mapValues(gateway.agents, (agent) => ({ ...agent, targets: weights(agent.targets) })),
    ...(categories.length === 0 ? {} : { categories: namedList(categories) }),
    ...experimentsOf(gateway.experiments),
    plugins: namedList<PluginEntry>(plugins),
    resilience: gateway.resilience,
    access: normalizeAccess(gateway.access),
    limits: gateway.limits,
    capture: normalizeCapture(gateway.capture),
    store: gateway.store,
    prompts: prompts.entries,
    oracle: {
      thresholds,
      safety: oracle.safety,
      bounds: oracle.bounds,
      gates: oracle.gates,
      ...(oracle.proposals?.prompt ? { proposals: oracle.proposals } : {}),
      ...(oracle.follow_ups ? { follow_ups: oracle.follow_ups } : {}),
    },
    pipeline: {
      schedule: pipeline.schedule,
      stages: namedList(pipeline.pipeline.map(({ name, options }) => [name, options])),
    },
    files: digests,
    switches,
  };
  return { policy, contents: prompts.contents, places: placesOf(files, plugins) };
}

/** Absent where nothing is kept: a call then looks at one absent key. */
function normalizeCapture({ bodies, ...capture }: GatewayFile['capture']): Policy['capture'] {
  const { mode, ...kept } = typeof bodies === 'string' ? captureOf(bodies) : bodies;
  return mode === 'off' ? capture : { ...capture, bodies: { mode, ...kept } };
}

function weights(targets: Readonly<Record<string, number>> | readonly string[]) {
  if (!Array.isArray(targets)) return targets as Readonly<Record<string, number>>;
  return Object.fromEntries((targets as readonly string[]).map((name) => [name, 1]));
}

/** Absent where there is none, so that files without any keep their policy's version. */
function experimentsOf(given: GatewayFile['experiments'] = {}): Pick<Policy, 'experiments'> {
  if (Object.keys(given).length === 0) return {};
  const experiments = mapValues(given, (entry) => ({
    ...entry,
    arms: mapValues(entry.arms, ({ share, set }) => {
      if (set === undefined) return { share };
      const { targets, ...rest } = set;
      return { share, set: targets ? { ...rest, targets: weights(targets) } : rest };
    }),
  }));
  return { experiments } as Pick<Policy, 'experiments'>;
}

function normalizeAccess({ mode, keys }: GatewayFile['access']): AccessPolicy {
  const entries = keys.map(({ sha256, agents, ...key }): [string, AccessKey] => [
    sha256.toLowerCase(),
    { ...key, agents: agents ?? null },
  ]);
  return { mode, keys: Object.fromEntries(entries) };
}

function namedList<Entry>(entries: readonly (readonly [string, Entry])[]): NamedList<Entry> {
  return { order: entries.map(([name]) => name), by: Object.fromEntries(entries) };
}

function normalizePrompts(files: ParsedFiles['prompts']): {
  readonly entries: Readonly<Record<string, PromptEntry>>;
  readonly contents: Readonly<Record<string, PromptVersion>>;
} {
  const entries: Record<string, PromptEntry> = {};
  const contents: Record<string, PromptVersion> = {};
  for (const { data } of files) {
    const versions: Record<string, string> = {};
    for (const [version, content] of Object.entries(data.versions)) {
      const digest = digestOf(content);
      versions[version] = digest;
      contents[digest] = content as PromptVersion;
    }
    const { labels, protected: kept } = data;
    // Absent where there is none, so that files that name none keep their policy's version.
    entries[data.name] = { versions, labels, ...(kept?.length ? { protected: kept } : {}) };
  }
  return { entries, contents };
}

function placesOf(
  files: ParsedFiles,
  plugins: readonly (readonly [string, unknown])[],
): readonly Place[] {
  const whole = (file: string, keys: readonly string[], above: readonly string[] = []): Place[] =>
    keys.map((key) => ({ tokens: [...above, key], file, path: [key] }));
  return [
    ...whole('gateway.yaml', Object.keys(files.gateway)),
    ...whole('oracle_policies.yaml', Object.keys(files.oracle), ['oracle']),
    { tokens: ['pipeline', 'schedule'], file: 'pipeline.yaml', path: ['schedule'] },
    { tokens: ['pipeline', 'stages'], file: 'pipeline.yaml', path: ['pipeline'] },
    ...plugins.map(([id], index) => ({
      tokens: ['plugins', 'by', id],
      file: 'gateway.yaml',
      path: ['plugins', index],
    })),
    ...(files.gateway.categories ?? []).map(({ name }, index) => ({
      tokens: ['categories', 'by', name],
      file: 'gateway.yaml',
      path: ['categories', index],
    })),
    ...files.gateway.access.keys.map(({ sha256 }, index) => ({
      tokens: ['access', 'keys', sha256.toLowerCase()],
      file: 'gateway.yaml',
      path: ['access', 'keys', index],
    })),
    ...files.pipeline.pipeline.map(({ name }, index) => ({
      tokens: ['pipeline', 'stages', 'by', name],
      file: 'pipeline.yaml',
      path: ['pipeline', index, 'options'],
    })),
    ...files.prompts.map(({ file, data }) => ({ tokens: ['prompts', data.name], file, path: [] })),
  ];
}

function mapValues<Value, Result>(
  record: Readonly<Record<string, Value>>,
  change: (value: Value) => Result,
): Record<string, Result> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
