import { z } from 'zod';
import type { Call, CallPatch } from '../core/call.ts';
import { digestOf, sha256 } from '../core/canonical.ts';
import type { AgentView, PluginDefinition, Scope } from '../core/plugin.ts';
import { applyPatch, type Fields, systemTextOf } from '../core/prompt/apply.ts';
import { type CompiledPatch, compilePatch, isVariable } from '../core/prompt/compile.ts';
import { matches } from '../core/prompt/match.ts';
import { readVariables } from '../core/prompt/variables.ts';
import {
  isRefused,
  type PatchedEndpoint,
  type PromptMatch,
  type Refusal,
} from '../core/prompt/version.ts';

const Options = z.strictObject({
  cache_key: z
    .boolean()
    .default(false)
    .describe(
      'Whether to set prompt_cache_key where the client set none: calls of one tenant, agent and ' +
        'prompt version then share a provider’s cache. OpenAI knows it; other hosts may refuse it.',
    ),
});

export type PromptPatcherOptions = z.output<typeof Options>;

export const definition: PluginDefinition<PromptPatcherOptions> = {
  name: 'prompt-patcher',
  summary: 'Applies the agent’s prompt patch to a call, all of its operations or none.',
  options: Options,
  metrics: ['hive_prompts_applied_total', 'hive_prompts_skipped_total'],
  create({ cache_key }) {
    const prepared = new WeakMap<Prompt, Prepared>();
    return {
      onRequest(call, scope) {
        const { prompt } = scope.agent;
        const patched = PATCHED[call.endpoint];
        if (prompt === null || patched === undefined) return undefined;
        let ready = prepared.get(prompt);
        if (!ready) {
          ready = prepare(prompt);
          prepared.set(prompt, ready);
        }
        const counts = patched !== call.endpoint;
        const told = counts ? uncounted(scope) : scope;
        return patchCall(call, patched, ready, told, cache_key && !counts);
      },
    };
  },
};

type Prompt = NonNullable<AgentView['prompt']>;

/** What is made of a version once, not once a call. */
interface Prepared extends Prompt {
  readonly label: string;
  /** The mark of a call that got it. */
  readonly mark: string;
  /** The patch, where it is the same for all calls. */
  readonly fixed: CompiledPatch | null;
  /** By the values of its variables as JSON. */
  readonly filled: Map<string, CompiledPatch>;
  /** By tenant and agent. */
  readonly cache_keys: Map<string, string>;
}

/** Variables and tenants are many, in the worst case: what is kept of them is bounded. */
const KEPT_MAX = 500;

function prepare(prompt: Prompt): Prepared {
  const label = `${prompt.name}@${prompt.version}`;
  return {
    ...prompt,
    label,
    mark: `prompt:${label}`,
    fixed: isVariable(prompt.content) ? null : compilePatch(prompt.content),
    filled: new Map(),
    cache_keys: new Map(),
  };
}

/**
 * In whose words a request's prompt is patched. Who counts tokens asks what a call would be billed
 * for, so a count gets what the call would.
 */
const PATCHED: Readonly<Partial<Record<Call['endpoint'], PatchedEndpoint>>> = {
  'chat.completions': 'chat.completions',
  messages: 'messages',
  'messages.count_tokens': 'messages',
  responses: 'responses',
  'responses.input_tokens': 'responses',
};

/** A count says nothing of how a version does: it is not marked as one of its calls. */
function uncounted(scope: Scope): Told {
  return {
    header: (name) => scope.header(name),
    note: (subject, reason) => scope.note(subject, reason),
    mark() {},
  };
}

type Told = Pick<Scope, 'header' | 'note' | 'mark'>;

function patchCall(
  call: Call,
  endpoint: PatchedEndpoint,
  ready: Prepared,
  scope: Told,
  cache_key: boolean,
): CallPatch | undefined {
  const { match } = ready.content;
  if (match && !isFor(match, call, endpoint)) return skip(ready, 'no_match', scope);
  const patch = ready.fixed ?? filledPatch(ready, call, scope);
  if (patch === null) return skip(ready, 'variable_missing', scope);
  const fields = applyPatch(endpoint, call.body, patch);
  if (isRefused(fields)) return skip(ready, fields.refused, scope);
  scope.mark(ready.mark);
  const all = cache_key ? withCacheKey(fields, call, ready) : fields;
  return all === null ? undefined : { body: all };
}

function isFor(match: PromptMatch, { model, body }: Call, endpoint: PatchedEndpoint): boolean {
  return matches(match, { model, endpoint, system: () => systemTextOf(endpoint, body) });
}

const REASONS: Readonly<Record<Refusal, string | null>> = {
  malformed: 'what it would change is malformed',
  // That a patch is not for a call is nothing that its client could mend.
  no_match: null,
  anchor_missing: 'its anchor does not stand there as often as expected',
  anchor_ambiguous: 'it would change what it made itself',
  no_user_turn: 'no user said anything',
  no_start: 'its examples belong before a conversation that the provider keeps',
  variable_missing: 'one of its variables has no value',
};

function skip({ label }: Prepared, refusal: Refusal, scope: Told): undefined {
  const reason = REASONS[refusal];
  if (reason !== null) scope.note('prompt-patcher', `${label} was not applied: ${reason}`);
  scope.mark(`prompt-patcher:${refusal}`);
}

function filledPatch(ready: Prepared, call: Call, scope: Told): CompiledPatch | null {
  const { agent, model, at_ms } = call;
  const header = (name: string): string | null => scope.header(name);
  const { vars = {} } = ready.content;
  const values = readVariables(vars, { header, agent, model, at_ms });
  if (values === null) return null;
  return kept(ready.filled, JSON.stringify(values), () => compilePatch(ready.content, values));
}

function withCacheKey(fields: Fields | null, call: Call, ready: Prepared): Fields | null {
  const { endpoint, body, tenant, agent } = call;
  if (endpoint === 'messages' || (body.prompt_cache_key ?? null) !== null) return fields;
  const key = kept(ready.cache_keys, JSON.stringify([tenant, agent]), () => {
    return `hive-${sha256(JSON.stringify([tenant, agent, digestOf(ready.content)])).slice(0, 32)}`;
  });
  return { ...fields, prompt_cache_key: key };
}

function kept<Value>(among: Map<string, Value>, key: string, make: () => Value): Value {
  const known = among.get(key);
  if (known !== undefined) return known;
  if (among.size >= KEPT_MAX) among.clear();
  const made = make();
  among.set(key, made);
  return made;
}
