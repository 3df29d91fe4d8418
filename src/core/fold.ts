import { boundProblem } from './bounds.ts';
import { digestOf, type Json, sameJson } from './canonical.ts';
import type { Row } from './oracle.ts';
import { mergePatch, overlaps, touchedPointers, valueAt } from './pointer.ts';
import type { Contents, Policy } from './policy.ts';

/** A policy with rows folded over it, and which rows did not fit what lies under them. */
export interface Folded {
  readonly policy: Policy;
  readonly applied: readonly string[];
  readonly superseded: readonly { readonly id: string; readonly reason: string }[];
}

/**
 * The effective policy is a fold of rows over the YAML, in order of `seq`. A row is applied whole
 * or not at all: one whose `before` does not match what lies under it, or that the bounds no longer
 * allow, is superseded. So operators win, and nothing is half applied.
 */
export function fold(base: Policy, rows: readonly Row[], contents: Contents): Folded {
  let policy = base;
  const applied: string[] = [];
  const superseded: { id: string; reason: string }[] = [];
  for (const row of [...rows].sort((left, right) => left.seq - right.seq)) {
    const next = applyRow(policy, row);
    const reason =
      strayReason(row) ?? staleReason(policy, row) ?? boundProblem(row, policy, next, contents);
    if (reason !== null) superseded.push({ id: row.id, reason });
    else {
      policy = next;
      applied.push(row.id);
    }
  }
  return { policy, applied, superseded };
}

function applyRow(policy: Policy, row: Pick<Row, 'patch'>): Policy {
  return mergePatch(policy, row.patch) as unknown as Policy;
}

/** Bounds are asked about what a row says it touches, so it must say all that its patch writes. */
function strayReason(row: Row): string | null {
  const stray = touchedPointers(row.patch).find(
    (pointer) => !row.touches.some((known) => pointer === known || pointer.startsWith(`${known}/`)),
  );
  return stray === undefined ? null : `the patch writes ${stray || 'nothing'}, outside its touches`;
}

function staleReason(policy: Policy, row: Row): string | null {
  for (const pointer of row.touches) {
    const now = (valueAt(policy, pointer) ?? null) as Json;
    if (!sameJson(now, row.before[pointer] ?? null)) {
      const then = JSON.stringify(row.before[pointer] ?? null);
      return `${pointer} is ${JSON.stringify(now)}, no longer ${then}`;
    }
  }
  return null;
}

/** The values at the pointers that a patch writes: a row's `before`. */
export function valuesBefore(policy: Policy, touches: readonly string[]): Record<string, Json> {
  return Object.fromEntries(
    touches.map((pointer) => [pointer, (valueAt(policy, pointer) ?? null) as Json]),
  );
}

/**
 * The rows that go when one is taken back: itself, and every later row that touches what it, or a
 * row that goes with it, touches. The version is then equal to the fold of the rest.
 */
export function rowsTakenBack(rows: readonly Row[], id: string): readonly Row[] {
  const ordered = [...rows].sort((left, right) => left.seq - right.seq);
  const taken: Row[] = [];
  for (const row of ordered) {
    const follows = taken.some((earlier) =>
      earlier.touches.some((left) => row.touches.some((right) => overlaps(left, right))),
    );
    if (row.id === id || follows) taken.push(row);
  }
  return taken;
}

/** SHA-256 of the policy's canonical JSON, in hex: equal versions serve alike. */
export function versionOf(policy: Policy): string {
  return digestOf(policy);
}
