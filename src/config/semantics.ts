import { messageOf } from '../core/errors.ts';
import { isPrivateHost } from '../core/network.ts';
import type { PluginRegistry } from '../core/plugin.ts';
import { mergePatch } from '../core/pointer.ts';
import {
  type AgentEntry,
  type Policy,
  type ProviderEntry,
  providerOptions,
} from '../core/policy.ts';
import type { AnyProviderDefinition, ProviderRegistry } from '../core/provider.ts';
import { boundProblems } from './bound-problems.ts';
import { categoryProblems } from './category-problems.ts';
import { secretVariable } from './expand.ts';
import { experimentProblems } from './experiment-problems.ts';
import { followUpProblems } from './follow-up-problems.ts';
import { isLoopback } from './loopback.ts';
import { proposalProblems } from './proposal-problems.ts';
import { missing, own, type PolicyProblem, promptReferenceProblems } from './references.ts';
import { schemaProblems } from './schema-problems.ts';
import { didYouMean } from './suggest.ts';

/** What the policy's names may refer to. */
export interface Known {
  readonly providers: ProviderRegistry;
  readonly plugins: PluginRegistry;
  /** Names of the gates; unchecked where a process has no gates. */
  readonly gates?: readonly string[];
  /** The host that the gateway will listen on. */
  readonly host?: string;
}

/** Every reference, option and bound of a well-formed policy that leads nowhere. */
export function policyProblems(policy: Policy, known: Known): readonly PolicyProblem[] {
  const adapters = new Set(
    Object.entries(policy.providers).flatMap(([name, entry]) => adaptersOf(name, entry, known)),
  );
  return [
    ...Object.entries(policy.providers).flatMap(([name, entry]) =>
      providerProblems(name, entry, known),
    ),
    ...targetProblems(policy, known),
    ...categoryProblems(policy),
    ...pluginProblems(policy, known),
    ...Object.keys(policy.agents).flatMap((agent) =>
      agentProblems(policy, agent, known, [...adapters]),
    ),
    ...promptProblems(policy),
    ...experimentProblems(policy, (changed, agent) =>
      agentProblems(changed, agent, known, [...adapters]),
    ),
    ...boundProblems(policy, [...adapters]),
    ...proposalProblems(policy),
    ...followUpProblems(policy),
    ...gateProblems(policy, known),
    ...accessProblems(policy, known),
  ];
}

/** Keys of a provider's entry that are none of its dialect's. */
const BESIDE_OPTIONS = ['use', 'network'];

function providerProblems(
  name: string,
  entry: ProviderEntry,
  known: Known,
): readonly PolicyProblem[] {
  const definition = known.providers.get(entry.use);
  const at = ['providers', name];
  if (!definition) return [unknownUse([...at, 'use'], 'provider', entry.use, known.providers)];
  const problems: PolicyProblem[] = [];
  for (const key of definition.secrets) {
    if (!Object.hasOwn(entry, key) || secretVariable(entry[key]) !== null) continue;
    const message = `keys do not belong in policy files: write \${VARIABLE}, and set VARIABLE`;
    problems.push({ tokens: [...at, key], message });
  }
  const wrong = schemaProblems(definition.options, providerOptions(entry), BESIDE_OPTIONS);
  problems.push(...wrong.map(({ path, ...rest }) => ({ ...rest, tokens: within(at, path) })));
  if (problems.length > 0) return problems;
  try {
    const { base_url } = trial(definition, name, entry);
    return definition.engine ? [] : networkProblems(at, entry, base_url);
  } catch (thrown) {
    return [{ tokens: at, message: messageOf(thrown) }];
  }
}

/** What the dialer would refuse at each call is said at once where the URL alone shows it. */
function networkProblems(
  at: readonly string[],
  { network, base_url: written }: ProviderEntry,
  base_url: string,
): readonly PolicyProblem[] {
  const host = URL.parse(base_url)?.hostname;
  if (network === 'private' || host === undefined || !isPrivateHost(host)) return [];
  const message =
    `${host} is not on the internet: if that is meant, write network: private ` +
    `in providers.${at[1]}, or set the variable that stands there`;
  return [{ tokens: written === undefined ? at : [...at, 'base_url'], message }];
}

/**
 * Creates a provider to see what it offers; secrets are still references and nothing is reached.
 */
function trial(definition: AnyProviderDefinition, name: string, entry: ProviderEntry) {
  const options = definition.options.parse(providerOptions(entry));
  return definition.create(options as never, { name, engineUrl: () => '' });
}

function adaptersOf(name: string, entry: ProviderEntry, known: Known): readonly string[] {
  const definition = known.providers.get(entry.use);
  if (!definition) return [];
  try {
    return trial(definition, name, entry).adapters;
  } catch {
    return [];
  }
}

function targetProblems(policy: Policy, known: Known): readonly PolicyProblem[] {
  return Object.entries(policy.targets).flatMap(([name, target]) => {
    const at = ['targets', name];
    const provider = own(policy.providers, target.provider);
    if (!provider) {
      return [missing([...at, 'provider'], 'provider', target.provider, policy.providers)];
    }
    const definition = known.providers.get(provider.use);
    if (target.model !== undefined || !definition || definition.engine) return [];
    return [{ tokens: at, message: 'missing: model (the provider’s name of the model)' }];
  });
}

function pluginProblems(policy: Policy, known: Known): readonly PolicyProblem[] {
  return Object.entries(policy.plugins.by).flatMap(([id, entry]) => {
    const definition = known.plugins.get(entry.use);
    const at = ['plugins', 'by', id];
    if (!definition) return [unknownUse([...at, 'use'], 'plugin', entry.use, known.plugins)];
    return schemaProblems(definition.options, entry.options).map(({ path, ...rest }) => ({
      ...rest,
      tokens: within([...at, 'options'], path),
    }));
  });
}

/**
 * What of one agent leads nowhere; also how the fold's caller checks the agent that a row changed.
 */
export function agentProblems(
  policy: Policy,
  agent: string,
  known: Known,
  adapters: readonly string[] | null,
): readonly PolicyProblem[] {
  const at = ['agents', agent];
  const entry = own(policy.agents, agent);
  if (!entry) return [{ tokens: at, message: 'there is no such agent' }];
  const problems: PolicyProblem[] = [];
  for (const name of Object.keys(entry.targets)) {
    if (own(policy.targets, name)) continue;
    problems.push(missing([...at, 'targets', name], 'target', name, policy.targets));
  }
  if (Object.keys(entry.targets).length === 0) {
    problems.push({ tokens: [...at, 'targets'], message: 'an agent needs at least one target' });
  }
  for (const [why, names] of Object.entries(entry.fallbacks ?? {})) {
    for (const [index, name] of (names as readonly string[]).entries()) {
      if (own(policy.targets, name)) continue;
      const tokens = [...at, 'fallbacks', why, String(index)];
      problems.push(missing(tokens, 'target', name, policy.targets));
    }
  }
  if (entry.prompt !== undefined) {
    problems.push(...promptReferenceProblems(policy, entry.prompt, [...at, 'prompt']));
  }
  if (adapters && entry.adapter !== 'none' && !adapters.includes(entry.adapter)) {
    const hint = didYouMean(entry.adapter, adapters);
    const message = `no provider has the adapter ${entry.adapter}; ${hint}`;
    problems.push({ tokens: [...at, 'adapter'], message });
  }
  for (const field of ['model', 'messages', 'stream']) {
    if (!Object.hasOwn(entry.params, field)) continue;
    const message = `${field} is the client’s to send and has no default`;
    problems.push({ tokens: [...at, 'params', field], message, key: true });
  }
  return [...problems, ...overrideProblems(policy, entry, known, at)];
}

function overrideProblems(
  policy: Policy,
  agent: AgentEntry,
  known: Known,
  at: readonly string[],
): readonly PolicyProblem[] {
  return Object.entries(agent.plugins).flatMap(([id, options]) => {
    const tokens = [...at, 'plugins', id];
    const entry = own(policy.plugins.by, id);
    if (!entry) return [{ ...missing(tokens, 'plugin', id, policy.plugins.by), key: true }];
    const definition = known.plugins.get(entry.use);
    // What is wrong with the entry's own options is said there.
    if (!definition || schemaProblems(definition.options, entry.options).length > 0) return [];
    const merged = mergePatch(entry.options, options);
    return schemaProblems(definition.options, merged).map(({ path, ...rest }) => ({
      ...rest,
      tokens: within(tokens, path),
    }));
  });
}

function promptProblems(policy: Policy): readonly PolicyProblem[] {
  return Object.entries(policy.prompts).flatMap(([name, prompt]) =>
    Object.entries(prompt.labels)
      .filter(([, version]) => !Object.hasOwn(prompt.versions, String(version)))
      .map(([label, version]) => ({
        tokens: ['prompts', name, 'labels', label],
        message: `there is no version ${version}`,
      })),
  );
}

function gateProblems(policy: Policy, { gates }: Known): readonly PolicyProblem[] {
  if (!gates) return [];
  return policy.oracle.gates
    .filter((gate) => !gates.includes(gate))
    .map((gate) => ({
      tokens: ['oracle', 'gates'],
      message: `there is no gate ${gate}; ${didYouMean(gate, gates)}`,
    }));
}

function accessProblems(policy: Policy, { host }: Known): readonly PolicyProblem[] {
  const { mode, keys } = policy.access;
  const problems = Object.entries(keys).flatMap(([hash, key]) =>
    (key.agents ?? [])
      .filter((agent) => !own(policy.agents, agent))
      .map((agent) => missing(['access', 'keys', hash, 'agents'], 'agent', agent, policy.agents)),
  );
  if (mode !== 'open' || host === undefined || isLoopback(host)) return problems;
  const why = 'anyone who reaches it could spend your keys; listen on 127.0.0.1, or use mode: keys';
  const message = `open access is refused on ${host}: ${why}`;
  return [...problems, { tokens: ['access', 'mode'], message }];
}

function unknownUse(
  tokens: readonly string[],
  what: string,
  use: string,
  registry: ReadonlyMap<string, unknown>,
): PolicyProblem {
  const message = `there is no ${what} called ${use}; ${didYouMean(use, [...registry.keys()])}`;
  return { tokens, message };
}

function within(at: readonly string[], path: readonly (string | number)[]): readonly string[] {
  return [...at, ...path.map(String)];
}
