import { canonicalJson, type Json } from '../core/canonical.ts';
import { createClock } from '../core/clock.ts';
import { GatewayError, messageOf } from '../core/errors.ts';
import { valueAt } from '../core/pointer.ts';
import { EMPTY_CONTROL, EMPTY_STATE } from '../core/state.ts';
import { compileSnapshot } from './compile.ts';
import { createHostFactory } from './hosts.ts';
import { type LoadInput, loadPolicy } from './load.ts';
import type { LoadedPolicy, Snapshot } from './snapshot.ts';

export interface CheckInput extends LoadInput {
  /** Also print every effective value with where it came from. */
  readonly explain?: boolean;
}

/** `hive check`: whether the policy files would be served, and what they come to. */
export function checkPolicies(input: CheckInput): { readonly ok: boolean; readonly text: string } {
  try {
    const loaded = loadPolicy(input);
    const snapshot = compileOnce(input, loaded);
    const parts = [summary(input, loaded, snapshot)];
    if (input.explain) parts.push(explanation(loaded));
    return { ok: true, text: `${parts.join('\n\n')}\n` };
  } catch (thrown) {
    if (!(thrown instanceof GatewayError)) throw thrown;
    const text = messageOf(thrown);
    const count = text.split('\n').length;
    const heading = `${input.dir}: ${count} ${count === 1 ? 'problem' : 'problems'}`;
    return { ok: false, text: `${heading}\n${text}\n` };
  }
}

/** The policy as it would be served, to try it. Throws what `checkPolicies` reports. */
export function compileForCheck(input: LoadInput): Snapshot {
  return compileOnce(input, loadPolicy(input));
}

/** Plugins and providers may refuse their options when they are made, so they are made once. */
function compileOnce(input: LoadInput, loaded: LoadedPolicy): Snapshot {
  const still = { monotonic_ms: () => 0, wall_ms: () => 0 };
  const clock = createClock({ origin_ms: 0, scale: 1 }, still);
  return compileSnapshot({
    loaded,
    state: EMPTY_STATE,
    control: EMPTY_CONTROL,
    environment: input.environment,
    plugins: input.plugins,
    providers: input.providers,
    host: createHostFactory({ clock, engineUrl: () => '' }),
  });
}

function summary(input: CheckInput, loaded: LoadedPolicy, snapshot: Snapshot): string {
  const lines = [`${input.dir}: ok`, `version ${snapshot.version}`];
  for (const plan of snapshot.agents.values()) {
    const { targets } = plan.view;
    const shown = targets.map(({ name, weight, fallback_only }) => {
      return fallback_only ? `${name} (fallback)` : `${name} (weight ${weight})`;
    });
    const list = shown.length > 0 ? shown.join(', ') : 'no target is present: calls will fail';
    lines.push(`agent ${plan.name}: ${list}`);
  }
  for (const [name, { agent, arms, metric }] of Object.entries(loaded.policy.experiments ?? {})) {
    const shares = Object.entries(arms).map(([arm, { share }]) => `${arm} ${share}`);
    lines.push(`experiment ${name} of agent ${agent}: ${shares.join(', ')}; decided by ${metric}`);
  }
  return [...lines, ...loaded.notices.map((notice) => `note: ${notice}`)].join('\n');
}

/** A line for each value: `pointer = value    # where it came from`. */
function explanation({ policy, origins }: LoadedPolicy): string {
  return [...origins]
    .map(([pointer, origin]) => {
      const value = canonicalJson((valueAt(policy, pointer) ?? null) as Json);
      return `${pointer} = ${isSecretive(origin) ? '(hidden)' : value}    # ${origin}`;
    })
    .join('\n');
}

/** Headers and the like may be filled from a variable that only its owner should read. */
function isSecretive(origin: string): boolean {
  return /\$\{[^}]*(KEY|TOKEN|SECRET|PASS|AUTH)/i.test(origin);
}
