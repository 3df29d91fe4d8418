import type { Segment } from '../core/observation.ts';
import type { Fact } from './facts.ts';
import type { SeriesKeeper } from './series.ts';
import { createTally, type Tally } from './tally.ts';

export const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const PAST_MS = 7 * DAY_MS;

/** Facts where they are by now: to come, in the window, in the past; and the sums of both. */
export interface Holding {
  readonly window: Span;
  readonly past: Span;
  keep(fact: Fact): void;
  /** What is learned late changes the call's own sums, wherever they are by now. */
  change(fact: Fact, alter: () => void): void;
  /** Moves what has come into the window, and out of it. */
  settle(look: Bounds): void;
  /** In the order in which they were kept. */
  facts(place?: Place): readonly Fact[];
}

export interface Bounds {
  readonly from_ms: number;
  readonly to_ms: number;
  readonly since_ms: Readonly<Record<string, number>>;
}

export type Place = 'coming' | 'window' | 'left out' | 'past' | 'gone';

interface Held {
  readonly fact: Fact;
  readonly kind: Kind;
  place: Place;
}

/** Facts of one agent, target, tenant and category: they belong to the same cells. */
interface Kind {
  readonly cells: readonly { readonly key: string; readonly segment: Segment }[];
}

/** Tallies by segment, of one span. */
export interface Span {
  /** A unit counts once a day, not once in all: so the store keeps a past that long. */
  readonly by_day: boolean;
  readonly tallies: Map<string, { readonly segment: Segment; tally: Tally }>;
  /**
   * The tallies that facts of a kind are counted in, each once: cells that have had the same kinds
   * so far (an agent and its only tenant) have the same facts, and one tally.
   */
  readonly kinds: Map<Kind, readonly Tally[]>;
}

export function createHolding(series: SeriesKeeper): Holding {
  const window: Span = { tallies: new Map(), kinds: new Map(), by_day: false };
  const past: Span = { tallies: new Map(), kinds: new Map(), by_day: true };
  let held: Held[] = [];
  const byFact = new Map<Fact, Held>();
  const kindOf = createKinds();

  const spanOf = (place: Place): Span | null =>
    place === 'window' ? window : place === 'past' ? past : null;
  const move = (one: Held, to: Place): void => {
    const [from, into] = [spanOf(one.place), spanOf(to)];
    if (from) addTo(from, one, -1);
    if (into) addTo(into, one, 1);
    one.place = to;
  };
  const keep = (fact: Fact): void => {
    const one: Held = { fact, kind: kindOf(fact), place: 'coming' };
    held.push(one);
    byFact.set(fact, one);
    series.add(fact);
  };
  const change = (fact: Fact, alter: () => void): void => {
    const one = byFact.get(fact);
    const span = one ? spanOf(one.place) : null;
    if (one && span) addTo(span, one, -1);
    alter();
    if (one && span) addTo(span, one, 1);
    series.changed(fact);
  };

  return {
    window,
    past,
    keep,
    change,
    settle(look) {
      for (const one of held) {
        const place = placeOf(one.fact, look);
        if (place !== one.place) move(one, place);
        if (place === 'gone') byFact.delete(one.fact);
      }
      held = held.filter(({ place }) => place !== 'gone');
    },
    facts: (place) =>
      held.filter((one) => place === undefined || one.place === place).map(({ fact }) => fact),
  };
}

function placeOf({ at_ms, agent }: Fact, look: Bounds): Place {
  if (at_ms >= look.to_ms) return 'coming';
  // Units are counted by the hour: one that began before the change is left out whole.
  const since_ms = hourAfter(look.since_ms[agent] ?? 0);
  if (at_ms >= look.from_ms) return at_ms < since_ms ? 'left out' : 'window';
  // The past is whole days; what lies between them and the window is in neither.
  const past_to_ms = Math.floor(look.from_ms / DAY_MS) * DAY_MS;
  if (at_ms >= past_to_ms) return 'left out';
  return at_ms >= past_to_ms - PAST_MS ? 'past' : 'gone';
}

export function hourAfter(at_ms: number): number {
  return Math.ceil(at_ms / HOUR_MS) * HOUR_MS;
}

/** The cells that a fact belongs to. What is said without a call is said of the agent alone. */
function cellsOf({ agent, target, tenant, category, is_call }: Fact): readonly Segment[] {
  const whole: Segment[] = [
    { agent, target: null },
    { agent, target: null, tenant },
  ];
  if (!is_call || target === null) return whole;
  whole.push({ agent, target });
  if (category === null) return whole;
  return [...whole, { agent, target: null, category }, { agent, target, category }];
}

/** One kind for all facts that are alike. */
function createKinds(): (fact: Fact) => Kind {
  const known = new Map<string, Kind>();
  return (fact) => {
    const alike = `${keyOf(fact)}\0${fact.is_call}`;
    let kind = known.get(alike);
    if (!kind) {
      kind = { cells: cellsOf(fact).map((segment) => ({ key: keyOf(segment), segment })) };
      known.set(alike, kind);
    }
    return kind;
  };
}

function keyOf({ agent, target, tenant, category }: Segment): string {
  return `${agent}\0${target ?? ''}\0${tenant ?? ''}\0${category ?? ''}`;
}

function addTo(span: Span, { fact, kind }: Held, sign: 1 | -1): void {
  const tallies = span.kinds.get(kind) ?? admit(span, kind);
  for (const tally of tallies) tally.add(fact, sign);
}

/** Makes room for a kind that has not come before: cells that had one tally may now differ. */
function admit({ tallies, kinds, by_day }: Span, kind: Kind): readonly Tally[] {
  const own = new Set(kind.cells.map(({ key }) => key));
  const others = new Set([...tallies].flatMap(([key, { tally }]) => (own.has(key) ? [] : tally)));
  const copies = new Map<Tally, Tally>();
  const fresh = createTally(by_day);
  for (const { key, segment } of kind.cells) {
    const cell = tallies.get(key);
    if (!cell) tallies.set(key, { segment, tally: fresh });
    else if (others.has(cell.tally)) {
      const copy = copies.get(cell.tally) ?? cell.tally.copy();
      copies.set(cell.tally, copy);
      cell.tally = copy;
    }
  }
  const talliesOf = ({ cells }: Kind): readonly Tally[] => [
    ...new Set(cells.flatMap(({ key }) => tallies.get(key)?.tally ?? [])),
  ];
  for (const known of [...kinds.keys(), kind]) kinds.set(known, talliesOf(known));
  return talliesOf(kind);
}
