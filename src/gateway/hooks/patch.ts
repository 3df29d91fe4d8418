import type { CallPatch } from '../../core/call.ts';
import { isObject } from '../../core/json-values.ts';
import type { MergedPatch } from './progress.ts';

/** Whether what a plugin returned is a patch: plugins are code, and code has bugs. */
export function isPatch(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { body, targets, adapter, reply } = value as Record<keyof CallPatch, unknown>;
  if (body !== undefined && !isObject(body)) return false;
  if (targets !== undefined && !isNames(targets)) return false;
  if (adapter !== undefined && adapter !== null && typeof adapter !== 'string') return false;
  return reply === undefined || isReply(reply);
}

function isNames(value: unknown): boolean {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}

function isReply(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { status, body } = value;
  const whole = Number.isInteger(status) && Number(status) >= 200 && Number(status) < 600;
  return whole && !BODILESS.has(Number(status)) && isObject(body);
}

/** To these no body belongs: a client would take it for the beginning of the next answer. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

/** Whether what a plugin returned is a whole answer. */
export function isResponse(value: unknown): boolean {
  return isReply(value) && typeof (value as { target?: unknown }).target === 'string';
}

/** The later patch wins, field by field. */
export function mergePatch(merged: MergedPatch, patch: CallPatch): MergedPatch {
  return {
    body: patch.body ? { ...merged.body, ...patch.body } : merged.body,
    targets: patch.targets ?? merged.targets,
    adapter: patch.adapter === undefined ? merged.adapter : patch.adapter,
  };
}
