import type { PluginInstance } from '../../config/snapshot.ts';
import type { Answer, AnswerVerdict } from '../../core/answer/answer.ts';
import { isObject } from '../../core/json-values.ts';
import type { MaybePromise } from '../../core/plugin.ts';
import { failedHook, type HookRun, isLive, judge } from './hooks.ts';

/** Whether any plugin wants to see answers before they go out; where none does, none is held. */
export function hasAnswerHooks(run: HookRun): boolean {
  return run.entered.some((instance) => instance.plugin.onAnswer && isLive(run, instance));
}

/** The first plugin's that wants another answer, and whose it is; null where all are content. */
export interface Objection {
  readonly plugin: string;
  readonly verdict: AnswerVerdict;
}

/** In the reverse of the policy's order, as all on the way out. */
export async function runAnswerHooks(run: HookRun, answer: Answer): Promise<Objection | null> {
  for (const instance of run.entered.toReversed()) {
    if (!instance.plugin.onAnswer || !isLive(run, instance)) continue;
    const verdict = await runAnswerHook(run, instance, answer);
    if (verdict) return { plugin: instance.id, verdict };
  }
  return null;
}

async function runAnswerHook(
  run: HookRun,
  instance: PluginInstance,
  answer: Answer,
): Promise<AnswerVerdict | undefined> {
  const fuse = run.deps.fuse(instance.id);
  const started_ms = run.deps.monotonic_ms();
  let returned: MaybePromise<AnswerVerdict | undefined>;
  try {
    returned = instance.plugin.onAnswer?.(run.call, answer, run.scope);
  } catch (thrown) {
    failedHook(run, instance, fuse, thrown);
    return undefined;
  }
  const ran = await judge(run, { instance, fuse, started_ms, isValid: isVerdict }, returned);
  return ran === 'failed' ? undefined : ran.value;
}

function isVerdict(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { next, reason, last } = value;
  return (
    next === true && typeof reason === 'string' && ['undefined', 'boolean'].includes(typeof last)
  );
}
