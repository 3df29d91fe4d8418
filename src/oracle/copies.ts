import { canonicalJson, sameJson } from '../core/canonical.ts';
import { GatewayError } from '../core/errors.ts';
import type { Analysis, Finding, Plan } from '../core/oracle.ts';

type Fields = { readonly [key: string]: unknown };

export function isFields(value: unknown): value is Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** The id that a client's copy names: the copy may also be the bare id. */
export function idOfCopy(copy: unknown, param: string): string {
  const id = isFields(copy) ? copy.id : copy;
  if (typeof id === 'string') return id;
  throw new GatewayError(
    'bad_request',
    `${param} must be ${param} as it was answered, or its id.`,
    {
      param,
    },
  );
}

/**
 * Throws `edited` where a client's copy differs from what is stored, as canonical JSON, so that
 * Python's `1.0` is our `1`. A plan's state moves on by itself and is not compared.
 */
export function refuseEdited(
  copy: unknown,
  stored: Plan | Analysis | Finding,
  param: string,
  moving: readonly string[] = [],
): void {
  if (!isFields(copy)) return;
  const kept: Fields = { ...stored };
  for (const key of Object.keys(copy)) {
    if (moving.includes(key)) continue;
    const path = firstDifference(copy[key], kept[key], `${param}.${key}`);
    if (path === null) continue;
    throw new GatewayError('edited', `${path} is not what was answered; nothing was done.`, {
      param: path,
    });
  }
}

/** The path of the first value in which two JSON documents differ, or null. */
export function firstDifference(left: unknown, right: unknown, path: string): string | null {
  if (sameJson(left, right)) return null;
  if (Array.isArray(left) && Array.isArray(right)) {
    const length = Math.max(left.length, right.length);
    for (let index = 0; index < length; index += 1) {
      const inner = firstDifference(left[index], right[index], `${path}[${index}]`);
      if (inner !== null) return inner;
    }
    return path;
  }
  if (!isFields(left) || !isFields(right)) return path;
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    if (canonicalJson(left[key]) === canonicalJson(right[key])) continue;
    return firstDifference(left[key], right[key], `${path}.${key}`);
  }
  return path;
}
