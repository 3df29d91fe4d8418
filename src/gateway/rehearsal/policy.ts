import type { LoadedPolicy } from '../../config/snapshot.ts';
import { digestOf } from '../../core/canonical.ts';
import type { PluginEntry, Policy } from '../../core/policy.ts';
import type { PromptVersion } from '../../core/prompt/version.ts';

const NAME = 'rehearsal';
/** Plugins that keep to themselves: nothing of a rehearsal may reach a store or a network. */
const PLUGINS = ['model-router', 'prompt-patcher', 'lora-hotplug'];

const PATCH: PromptVersion = { ops: [{ op: 'system.append', text: 'Answer briefly.' }] };
const DIGEST = digestOf(PATCH);

/** One agent, one target, one patch: what the greater part of calls goes through. */
export function rehearsalPolicy({ policy, ...rest }: LoadedPolicy): LoadedPolicy {
  const { categories: _, experiments: __, ...kept } = policy;
  const rehearsed: Policy = {
    ...kept,
    // A name that never resolves (RFC 6761 §6.4): should anything ask it, nobody is asked.
    providers: {
      [NAME]: { use: 'openai', network: 'public', base_url: 'https://rehearsal.invalid/v1' },
    },
    targets: { [NAME]: { provider: NAME, model: NAME, fallback_only: false } },
    agents: {
      default: {
        targets: { [NAME]: 1 },
        adapter: 'none',
        prompt: `${NAME}@1`,
        params: {},
        plugins: {},
      },
    },
    plugins: { order: PLUGINS, by: Object.fromEntries(PLUGINS.map((id) => [id, entryOf(id)])) },
    prompts: { [NAME]: { versions: { 1: DIGEST }, labels: {} } },
    access: { mode: 'open', keys: {} },
    capture: { feedback_text: false },
    files: {},
  };
  return { ...rest, policy: rehearsed, contents: { [DIGEST]: PATCH } };
}

function entryOf(id: string): PluginEntry {
  return { use: id, on_error: 'skip', budget_ms: 50, options: {} };
}
