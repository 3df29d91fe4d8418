import type { Clock } from '../core/clock.ts';
import type { PluginHost } from '../core/plugin.ts';
import type { ProviderHost } from '../core/provider.ts';
import { compileCondition } from './categories.ts';

/** Makes the hosts that plugins and providers reach the world through. */
export interface HostFactory {
  pluginHost(agent: string, plugin_id: string): PluginHost;
  providerHost(name: string): ProviderHost;
}

export interface HostFactoryOptions {
  readonly clock: Clock;
  /** Where the engine listens for an embedded provider. */
  readonly engineUrl: (provider: string) => string;
  /** The table that the worker last published for an agent; absent where there is no worker. */
  readonly routes?: PluginHost['routes'];
}

/**
 * One factory lives as long as the process, so that what plugins keep outlives every policy swap,
 * and an arm's instance of a plugin shares it with the main plan's.
 */
export function createHostFactory({
  clock,
  engineUrl,
  routes = () => null,
}: HostFactoryOptions): HostFactory {
  const kept = new Map<string, Map<string, unknown>>();

  return {
    pluginHost(agent, plugin_id) {
      const owner = `${agent}/${plugin_id}`;
      const mine = kept.get(owner) ?? new Map<string, unknown>();
      kept.set(owner, mine);
      return {
        agent,
        condition: compileCondition,
        routes,
        keep<Value>(id: string, make: () => Value): Value {
          if (!mine.has(id)) mine.set(id, make());
          return mine.get(id) as Value;
        },
        monotonic_ms: () => clock.monotonic_ms(),
        policy_ms: () => clock.policy_ms(),
      };
    },
    providerHost: (name) => ({ name, engineUrl: () => engineUrl(name) }),
  };
}
