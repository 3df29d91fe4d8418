import { type Json, type JsonObject, sameJson } from '../canonical.ts';
import { isObject } from '../json-values.ts';
import type { MutationType } from '../oracle.ts';
import { type Policy, promptVersionOf } from '../policy.ts';
import { armPolicy } from './arm-policy.ts';
import type { AbEntry } from './entry.ts';

/** An arm as one mutation of the ledger: what a plan of it would write. */
export interface AbChange {
  readonly type: MutationType;
  readonly patch: JsonObject;
}

/**
 * The one mutation that makes the agent as an arm has it, or `none` where it is so already, or
 * `several`: a mutation moves one kind of knob. A prompt is pinned to the version that was tried.
 */
export function changeOf(
  policy: Policy,
  entry: AbEntry,
  arm: string,
): AbChange | 'none' | 'several' {
  const before = policy.agents[entry.agent];
  const after = armPolicy(policy, entry, arm).agents[entry.agent];
  if (!before || !after) return 'none';
  const changes: AbChange[] = [];
  const add = (type: MutationType, knobs: JsonObject): void => {
    changes.push({ type, patch: { agents: { [entry.agent]: knobs } } });
  };
  if (after.prompt !== before.prompt) {
    add('PROMPT_PATCH', { prompt: pinned(policy, after.prompt) });
  }
  if (after.adapter !== before.adapter) add('LORA_APPLY', { adapter: after.adapter });
  const targets = differences(before.targets, after.targets);
  if (targets) {
    const swaps = Object.entries(targets).map(
      ([name, weight]) => weight === null || !Object.hasOwn(before.targets, name),
    );
    // Which targets there are and how much they weigh are two types' to move.
    if (swaps.includes(true) && swaps.includes(false)) return 'several';
    add(swaps.includes(true) ? 'MODEL_SWAP' : 'ROUTE_CHANGE', { targets });
  }
  const params = differences(before.params, after.params);
  if (params) add('PARAM_SET', { params });
  const plugins = differences(before.plugins, after.plugins);
  if (plugins) add('PARAM_SET', { plugins });
  const [only = 'none', ...more] = changes;
  return more.length > 0 ? 'several' : only;
}

/** The merge patch (RFC 7396) from one object to another; null where they are the same. */
function differences(before: object, after: object): JsonObject | null {
  const [old, now] = [before, after] as [JsonObject, JsonObject];
  const patch: Record<string, Json> = {};
  for (const key of new Set([...Object.keys(old), ...Object.keys(now)])) {
    const [left, right] = [old[key], now[key]];
    if (right === undefined) patch[key] = null;
    else if (left !== undefined && sameJson(left, right)) continue;
    else patch[key] = isObject(left) && isObject(right) ? (differences(left, right) ?? {}) : right;
  }
  return Object.keys(patch).length === 0 ? null : patch;
}

function pinned(policy: Policy, prompt: string | undefined): string | null {
  const found = prompt === undefined ? null : promptVersionOf(policy.prompts, prompt);
  return found ? `${found.name}@${found.version}` : (prompt ?? null);
}
