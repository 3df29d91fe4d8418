import type { Window } from '../core/observation.ts';
import { cellKey } from './cells.ts';
import { readChanges, readSpan } from './read-rollups.ts';
import { addTallies, type RollupRow } from './rollup-row.ts';
import type { Db } from './rows.ts';
import { addRowTo, addSumsTo, type Sums } from './segment-sums.ts';
import { decodeTallies, type Halves, noTallies, type Tallies } from './sketch-text.ts';

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

/** The sketches of one cell in old spans, added up. */
interface Sketched {
  readonly texts: readonly string[];
  readonly tallies: Halves<Tallies>;
}

/**
 * Adds spans up. All but the newest span of each kind rarely change (of `past` none is open), so
 * their sum is kept for as long as they are the same spans in the same state, counted from the same
 * time. A rater who thinks again changes old counts, but no sketch: those are kept apart, because
 * nearly all of the time goes into them. What is returned is not for changing.
 */
export function createClosedSums() {
  const known = new Map<string, { readonly key: string; readonly sums: Sums }>();
  const sketched = new Map<string, ReadonlyMap<string, Sketched>>();

  const close = (name: string, old: readonly Span[], rule: Rule): Sums => {
    const sums: Sums = new Map();
    const texts = addPlain(sums, old, rule);
    const now = sketchesOf(texts, sketched.get(name) ?? new Map());
    for (const [cell, { tallies }] of now) {
      const known = sums.get(cell);
      if (known) known.sum.tallies = tallies;
    }
    sketched.set(name, now);
    return sums;
  };
  return {
    sum(name: 'window' | 'past', spans: readonly Span[], rule: Rule): Sums {
      const newest = new Map(spans.map(({ span_ms, at_ms }) => [span_ms, at_ms]));
      const isOpen = ({ span_ms, at_ms }: Span) =>
        name === 'window' && newest.get(span_ms) === at_ms;
      const old = spans.filter((span) => !isOpen(span));
      const key = keyOf(old, rule);
      let base = known.get(name);
      if (base?.key !== key) {
        base = { key, sums: close(name, old, rule) };
        known.set(name, base);
      }
      if (name === 'past') return base.sums;
      const sums: Sums = new Map();
      addSumsTo(sums, base.sums);
      return addAll(sums, spans.filter(isOpen), rule);
    },
  };
}

/** Adds all but the sketches, and tells these by cell. */
function addPlain(
  sums: Sums,
  spans: readonly Span[],
  { within, fromOf, barOf }: Rule,
): ReadonlyMap<string, readonly string[]> {
  const texts = new Map<string, string[]>();
  for (const { rows } of spans) {
    for (const row of rows) {
      if (!within(row)) continue;
      addRowTo(sums, { ...row, sketches: null }, fromOf(row), barOf(row));
      if (row.sketches === null) continue;
      const key = cellKey(row);
      const known = texts.get(key);
      if (known) known.push(row.sketches);
      else texts.set(key, [row.sketches]);
    }
  }
  return texts;
}

function sketchesOf(
  all: ReadonlyMap<string, readonly string[]>,
  before: ReadonlyMap<string, Sketched>,
): ReadonlyMap<string, Sketched> {
  const now = new Map<string, Sketched>();
  for (const [cell, texts] of all) {
    const known = before.get(cell);
    const isSame =
      known?.texts.length === texts.length && texts.every((text, at) => text === known.texts[at]);
    const tallies =
      known && isSame
        ? known.tallies
        : texts.reduce((sum, text) => addTallies(sum, decodeTallies(text)), noTallies());
    now.set(cell, { texts, tallies });
  }
  return now;
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
