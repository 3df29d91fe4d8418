import type { AgentPlan, PluginInstance } from '../../config/snapshot.ts';
import type { Attempt, Call, CallPatch, CallResponse, Outcome, Reply } from '../../core/call.ts';
import { GatewayError, messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { Metrics } from '../../core/metrics.ts';
import type { Chunk, MaybePromise, Scope, TargetView } from '../../core/plugin.ts';
import type { Fuse } from './fuse.ts';
import { isOverBudget, isThenable, withinBudget } from './hook-budget.ts';
import { isPatch, isResponse, mergePatch } from './patch.ts';
import { addMarker, type Progress } from './progress.ts';

/** Why a hook was passed over; the last part of the marker `plugin:<id>:<cause>`. */
export type BypassCause = 'threw' | 'slow' | 'invalid' | 'open';

export interface HookRun {
  readonly call: Call;
  readonly plan: AgentPlan;
  readonly scope: Scope;
  readonly progress: Progress;
  readonly deps: HookDeps;
  /** Plugins whose `onRequestEnd` is owed, in the policy's order. */
  readonly entered: PluginInstance[];
  /** Plugins bypassed in this call, if any: none of their hooks runs again but `onRequestEnd`. */
  bypassed: Set<string> | null;
}

export interface HookDeps {
  readonly log: Log;
  readonly metrics: Metrics;
  monotonic_ms(): number;
  /** The fuse of one plugin of this plan, kept across swaps. */
  fuse(plugin: string): Fuse;
}

/** What a hook came to; `failed` where it was bypassed. */
type Ran<Value> = { readonly value: Value | undefined } | 'failed';

/**
 * Reduce: each plugin sees the body as those before it left it. A reply ends the run. A promise
 * only where a hook returned one.
 */
export function runRequestHooks(run: HookRun): MaybePromise<Reply | null> {
  return runRequestHooksFrom(run, run.call, 0);
}

function runRequestHooksFrom(run: HookRun, first: Call, from: number): MaybePromise<Reply | null> {
  const { plugins } = run.plan;
  let call = first;
  for (let index = from; index < plugins.length; index += 1) {
    const judged = runRequestHook(run, plugins[index] as PluginInstance, call);
    if (judged instanceof Promise) return judged.then((ran) => goOn(run, call, index, ran));
    const taken = takePatch(run, call, judged);
    if ('status' in taken) return taken;
    call = taken;
  }
  return null;
}

function goOn(
  run: HookRun,
  call: Call,
  index: number,
  ran: Ran<CallPatch>,
): MaybePromise<Reply | null> {
  const taken = takePatch(run, call, ran);
  return 'status' in taken ? taken : runRequestHooksFrom(run, taken, index + 1);
}

function runRequestHook(
  run: HookRun,
  instance: PluginInstance,
  call: Call,
): MaybePromise<Ran<CallPatch>> {
  const { plugin } = instance;
  const fuse = run.deps.fuse(instance.id);
  const started_ms = run.deps.monotonic_ms();
  if (!fuse.admits(started_ms)) return bypass(run, instance, 'open');
  run.entered.push(instance);
  if (!plugin.onRequest) return NOTHING;
  let returned: MaybePromise<CallPatch | undefined>;
  try {
    returned = plugin.onRequest(call, run.scope);
  } catch (thrown) {
    return failedHook(run, instance, fuse, thrown);
  }
  return judge(run, { instance, fuse, started_ms, isValid: isPatch }, returned);
}

/** The call as the next plugin sees it, or the reply that ends the run. */
function takePatch(run: HookRun, call: Call, ran: Ran<CallPatch>): Call | Reply {
  if (ran === 'failed' || ran.value === undefined) return call;
  const { reply, body } = ran.value;
  run.progress.patch = mergePatch(run.progress.patch, ran.value);
  if (reply) return reply;
  return body ? patchedCall(call, body) : call;
}

function patchedCall(call: Call, patch: NonNullable<CallPatch['body']>): Call {
  const merged = { ...call.body, ...patch };
  if (!hasNull(patch)) {
    return Object.freeze({ ...call, body: Object.freeze(merged) });
  }
  const kept = Object.entries(merged).filter(([field]) => patch[field] !== null);
  return Object.freeze({ ...call, body: Object.freeze(Object.fromEntries(kept)) });
}

function hasNull(patch: NonNullable<CallPatch['body']>): boolean {
  for (const field in patch) if (patch[field] === null) return true;
  return false;
}

/** First: false where a plugin skips the target. */
export function runAttemptHooks(run: HookRun, target: TargetView): boolean {
  for (const instance of run.entered) {
    const { plugin } = instance;
    if (!plugin.onAttempt || !isLive(run, instance)) continue;
    const ran = runSync(run, instance, () => plugin.onAttempt?.(target, run.scope));
    if (ran !== 'failed' && ran.value === false) return false;
  }
  return true;
}

export function runAttemptEndHooks(run: HookRun, attempt: Attempt): void {
  for (let index = run.entered.length - 1; index >= 0; index -= 1) {
    const instance = run.entered[index] as PluginInstance;
    const { plugin } = instance;
    if (!plugin.onAttemptEnd || !isLive(run, instance)) continue;
    observe(run, instance, () => plugin.onAttemptEnd?.(attempt, run.scope));
  }
}

export async function runResponseHooks(
  run: HookRun,
  response: CallResponse,
): Promise<CallResponse> {
  let reduced = response;
  for (const instance of run.entered.toReversed()) {
    const { plugin } = instance;
    if (!plugin.onResponse || !isLive(run, instance)) continue;
    const fuse = run.deps.fuse(instance.id);
    const started_ms = run.deps.monotonic_ms();
    let returned: MaybePromise<CallResponse | undefined>;
    try {
      returned = plugin.onResponse(reduced, run.scope);
    } catch (thrown) {
      failedHook(run, instance, fuse, thrown);
      continue;
    }
    const judged = judge(run, { instance, fuse, started_ms, isValid: isResponse }, returned);
    const ran = judged instanceof Promise ? await judged : judged;
    if (ran !== 'failed') reduced = ran.value ?? reduced;
  }
  return reduced;
}

/** Whether any plugin wants to see chunks; where none does, bytes are relayed untouched. */
export function hasChunkHooks(run: HookRun): boolean {
  return run.entered.some((instance) => instance.plugin.onChunk && isLive(run, instance));
}

export function runChunkHooks(run: HookRun, chunk: Chunk): Chunk | null {
  let reduced = chunk;
  for (const instance of run.entered.toReversed()) {
    const { plugin } = instance;
    if (!plugin.onChunk || !isLive(run, instance)) continue;
    const ran = runSync(run, instance, () => plugin.onChunk?.(reduced, run.scope));
    if (ran === 'failed' || ran.value === undefined) continue;
    if (ran.value === null) return null;
    reduced = ran.value;
  }
  return reduced;
}

/** Exactly once, for every plugin that the call entered. */
export function runEndHooks(run: HookRun, outcome: Outcome): void {
  for (let instance = run.entered.pop(); instance; instance = run.entered.pop()) {
    const { plugin } = instance;
    if (plugin.onRequestEnd) {
      observe(run, instance, () => plugin.onRequestEnd?.(outcome, run.scope));
    }
  }
}

export function isLive(run: HookRun, instance: PluginInstance): boolean {
  return run.bypassed === null || !run.bypassed.has(instance.id);
}

export function failedHook(
  run: HookRun,
  instance: PluginInstance,
  fuse: Fuse,
  thrown: unknown,
): 'failed' {
  fuse.record(false, run.deps.monotonic_ms());
  return bypass(run, instance, 'threw', thrown);
}

/** A hook that has returned. */
interface Running {
  readonly instance: PluginInstance;
  readonly fuse: Fuse;
  readonly started_ms: number;
  readonly isValid: (value: unknown) => boolean;
}

/** What a hook returned, which may be a promise. Nothing is awaited where it is none. */
export function judge<Value>(
  run: HookRun,
  { instance, fuse, started_ms, isValid }: Running,
  returned: MaybePromise<Value | undefined>,
): MaybePromise<Ran<Value>> {
  // A hook that has nothing to say may return null as well as undefined.
  if (returned === undefined || returned === null) {
    settle(run, instance, fuse, started_ms, true);
    return NOTHING;
  }
  if (!isThenable(returned)) {
    const valid = isValid(returned);
    settle(run, instance, fuse, started_ms, valid);
    return valid ? { value: returned as Value } : bypass(run, instance, 'invalid');
  }
  const raced = withinBudget(returned as PromiseLike<Value>, instance.entry.budget_ms);
  fuse.watch(raced);
  return raced.then(
    (value): Ran<Value> => {
      if (value === undefined || value === null) return NOTHING;
      return isValid(value) ? { value } : bypass(run, instance, 'invalid');
    },
    (thrown: unknown) => bypass(run, instance, isOverBudget(thrown) ? 'slow' : 'threw', thrown),
  );
}

const NOTHING = { value: undefined } as const;

function runSync<Value>(run: HookRun, instance: PluginInstance, hook: () => Value): Ran<Value> {
  const fuse = run.deps.fuse(instance.id);
  const started_ms = run.deps.monotonic_ms();
  try {
    const value = hook();
    settle(run, instance, fuse, started_ms, true);
    return { value };
  } catch (thrown) {
    fuse.record(false, run.deps.monotonic_ms());
    return bypass(run, instance, 'threw', thrown);
  }
}

/** Observers never fail the call, whatever `on_error` says: there is nothing left to protect. */
function observe(run: HookRun, instance: PluginInstance, hook: () => unknown): void {
  try {
    const ran = runSync(run, instance, hook);
    if (ran !== 'failed' && isThenable(ran.value)) {
      Promise.resolve(ran.value).catch(() => note(run, instance, 'threw'));
    }
  } catch {
    // runSync has noted it.
  }
}

/** What came too late cannot be stopped, only counted: the fuse cuts the hook from later calls. */
function settle(
  run: HookRun,
  instance: PluginInstance,
  fuse: Fuse,
  started_ms: number,
  valid: boolean,
): void {
  const now_ms = run.deps.monotonic_ms();
  const took_ms = now_ms - started_ms;
  const slow = took_ms > instance.entry.budget_ms;
  fuse.record(valid && !slow, now_ms, took_ms);
  if (slow) note(run, instance, 'slow');
}

/** A safe no-op: the call goes on without the plugin, or fails where the policy says so. */
function bypass(
  run: HookRun,
  instance: PluginInstance,
  cause: BypassCause,
  thrown?: unknown,
): 'failed' {
  note(run, instance, cause);
  run.bypassed ??= new Set();
  run.bypassed.add(instance.id);
  if (thrown !== undefined && cause === 'threw') {
    run.deps.log.warn('plugin bypassed', { plugin: instance.id, error: messageOf(thrown) });
  }
  if (instance.entry.on_error === 'skip') return 'failed';
  const message = `The plugin ${instance.id} failed, and the policy lets no call pass without it.`;
  throw new GatewayError('plugin_failed', message, { plugin: instance.id, cause }, thrown);
}

function note(run: HookRun, instance: PluginInstance, cause: BypassCause): void {
  addMarker(run.progress, `plugin:${instance.id}:${cause}`);
  run.deps.fuse(instance.id).tally.bypassed += 1;
  run.deps.metrics.add('hive_plugin_bypassed_total', [instance.id, cause]);
}
