import type { Window } from '../core/observation.ts';
import { readChanges, readSpan } from './read-rollups.ts';
import type { RollupRow } from './rollup-row.ts';
import type { Db } from './rows.ts';
import { addRowTo, addSumsTo, type Sums } from './segment-sums.ts';

export interface Span {
  readonly span_ms: number;
  readonly at_ms: number;
  readonly change: number;
  readonly rows: readonly RollupRow[];
}

/** Spans as they were last read; one that was written to since is read again. */
export function createSpanCache(db: Db, span_ms: number) {
  const known = new Map<number, Span>();
  return {
    async read({ from_ms, to_ms }: Window): Promise<readonly Span[]> {
      const changes = await readChanges(db, span_ms, { from_ms, to_ms });
      for (const at_ms of known.keys()) if (!changes.has(at_ms)) known.delete(at_ms);
      const spans: Span[] = [];
      for (const [at_ms, change] of changes) {
        let span = known.get(at_ms);
        if (span?.change !== change) {
          span = { span_ms, at_ms, change, rows: await readSpan(db, span_ms, at_ms) };
          known.set(at_ms, span);
        }
        spans.push(span);
      }
      return spans;
    },
  };
}

/** Keeps what was made last, for as long as what it is made of is the same. */
export function createLatest<Value>() {
  let last: { readonly key: string; readonly value: Value } | null = null;
  return {
    has: (key: string): boolean => last?.key === key,
    of(key: string, make: () => Value): Value {
      if (last?.key !== key) last = { key, value: make() };
      return last.value;
    },
  };
}

export interface Rule {
  /** Whether a row is of the window: agents may begin at times of their own. */
  readonly within: (row: RollupRow) => boolean;
  /** When the window of a row's agent begins. */
  readonly fromOf: (row: RollupRow) => number;
  /** From when an agent's bar for `slow` stands, or null. */
  readonly barOf: (row: RollupRow) => number | null;
}

/**
 * Adds spans up. All but the newest span of each kind rarely change, so their sum is kept for as
 * long as they are the same spans in the same state, counted from the same time.
 */
export function createClosedSums() {
  const known = new Map<string, { readonly key: string; readonly sums: Sums }>();
  return {
    sum(name: string, spans: readonly Span[], rule: Rule): Sums {
      const newest = new Map(spans.map(({ span_ms, at_ms }) => [span_ms, at_ms]));
      const isOpen = ({ span_ms, at_ms }: Span) => newest.get(span_ms) === at_ms;
      const old = spans.filter((span) => !isOpen(span));
      const key = keyOf(old, rule);
      let base = known.get(name);
      if (base?.key !== key) {
        base = { key, sums: addAll(new Map(), old, rule) };
        known.set(name, base);
      }
      const sums: Sums = new Map();
      addSumsTo(sums, base.sums);
      return addAll(sums, spans.filter(isOpen), rule);
    },
  };
}

function addAll(sums: Sums, spans: readonly Span[], { within, fromOf, barOf }: Rule): Sums {
  for (const { rows } of spans) {
    for (const row of rows) if (within(row)) addRowTo(sums, row, fromOf(row), barOf(row));
  }
  return sums;
}

/** The spans and their state, and of each agent its window and bar. */
function keyOf(spans: readonly Span[], { within, fromOf, barOf }: Rule): string {
  const agents = new Map<string, string>();
  for (const { rows } of spans) {
    for (const row of rows) {
      if (agents.has(row.agent) || !within(row)) continue;
      agents.set(row.agent, `${row.agent}\t${row.span_ms}\t${fromOf(row)}\t${barOf(row)}`);
    }
  }
  const state = spans.map(({ span_ms, at_ms, change }) => [span_ms, at_ms, change]);
  return JSON.stringify([state, [...agents.values()].sort()]);
}
