import { LRUCache } from 'lru-cache';
import type { Metrics } from '../../core/metrics.ts';
import type { PluginReport } from '../../core/state.ts';
import { createFuse, type Fuse, type FuseTally } from './fuse.ts';

/** The fuses of all plugins, kept across swaps by agent, experiment and plugin. */
export interface Fuses {
  of(agent: string, experiment: string | null, plugin: string): Fuse;
  /** By plugin, over all agents, since the process began. */
  report(): Readonly<Record<string, PluginReport>>;
  close(): void;
}

/** One a plugin, agent and canary. */
const FUSES_MAX = 4096;

interface Kept {
  readonly agent: string;
  readonly plugin: string;
  readonly fuse: Fuse;
}

export function createFuses(): Fuses {
  /** What fuses that were forgotten had counted, by plugin. */
  const past = new Map<string, FuseTally>();
  const kept = new LRUCache<string, Kept>({
    max: FUSES_MAX,
    dispose({ plugin, fuse }) {
      fuse.close();
      past.set(plugin, sumOf(past.get(plugin) ?? NONE, fuse.tally));
    },
  });
  return {
    of(agent, experiment, plugin) {
      const key = `${agent} ${experiment ?? ''} ${plugin}`;
      const known = kept.get(key);
      if (known) return known.fuse;
      const fuse = createFuse();
      kept.set(key, { agent, plugin, fuse });
      return fuse;
    },
    report() {
      const tallies = new Map(past);
      const open = new Map<string, Set<string>>();
      for (const { agent, plugin, fuse } of kept.values()) {
        tallies.set(plugin, sumOf(tallies.get(plugin) ?? NONE, fuse.tally));
        if (fuse.open) open.set(plugin, (open.get(plugin) ?? new Set()).add(agent));
      }
      return Object.fromEntries(
        [...tallies].map(([plugin, tally]) => [
          plugin,
          { ...tally, open: [...(open.get(plugin) ?? [])].sort() },
        ]),
      );
    },
    close: () => kept.clear(),
  };
}

const NONE: Readonly<FuseTally> = { calls: 0, ms: 0, bypassed: 0 };

function sumOf(left: Readonly<FuseTally>, right: Readonly<FuseTally>): FuseTally {
  return {
    calls: left.calls + right.calls,
    ms: left.ms + right.ms,
    bypassed: left.bypassed + right.bypassed,
  };
}

/** The same as metrics; hooks that were passed over are counted where that happens. */
export function recordPlugins(
  metrics: Metrics,
  plugins: Readonly<Record<string, PluginReport>>,
): void {
  for (const [id, { calls, ms, open }] of Object.entries(plugins)) {
    metrics.set('hive_plugin_calls_total', calls, [id]);
    metrics.set('hive_plugin_seconds_total', ms / 1000, [id]);
    metrics.set('hive_plugin_open', open.length, [id]);
  }
}
