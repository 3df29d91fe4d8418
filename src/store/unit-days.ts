import type { UnitDay } from './unit-day.ts';

/** What is known of one unit of an agent. */
export interface KnownUnit {
  /** The batch in which it was seen last, as this process counts them. */
  seen: number;
  readonly agent: string;
  readonly unit: string;
  readonly half: 0 | 1;
  /** By day; null where it is known that there is no row. Absent where nobody has looked. */
  readonly days: Map<number, UnitDay | null>;
}

/**
 * Rows of `unit_facts` as the last batch left them, so that a unit that was seen a moment ago costs
 * no reading. The rows are changed in place while a batch is applied: what a batch that was not
 * committed has left must be forgotten.
 */
export interface UnitDays {
  /** Forgets everything unless nobody has written since the batch with this number. */
  startAt(batch: number): void;
  /** The unit, which has been seen in this batch. */
  of(agent: string, unit: string): KnownUnit;
  /** The batch that was applied to what is kept; drops those not seen for longest. */
  endAt(batch: number): void;
  forget(): void;
}

/** About 0.6 kB each. */
const UNITS_MAX = 30_000;
/** A unit that comes every day would gather them all. */
const DAYS_MAX = 8;

export function createUnitDays(
  halfOf: (unit: string) => 0 | 1,
  units_max: number = UNITS_MAX,
): UnitDays {
  const known = new Map<string, KnownUnit>();
  let last: number | null = null;
  let batches = 0;
  const forget = (): void => {
    known.clear();
    last = null;
  };
  /** Down to three quarters, so that it is not done each time; the units of this batch stay. */
  const dropOldest = (): void => {
    const oldest = [...known].filter(([, { seen }]) => seen < batches);
    oldest.sort(([, left], [, right]) => left.seen - right.seen);
    const drop = known.size - Math.floor(units_max * 0.75);
    for (const [key] of oldest.slice(0, drop)) known.delete(key);
  };
  return {
    startAt(batch) {
      if (batch !== last) forget();
      batches += 1;
    },
    of(agent, unit) {
      const key = `${agent}\t${unit}`;
      let found = known.get(key);
      if (found === undefined) {
        found = { seen: batches, agent, unit, half: halfOf(unit), days: new Map() };
        known.set(key, found);
      }
      // Marked rather than set anew: in a map that is always rearranged the whole of it is copied.
      found.seen = batches;
      if (found.days.size > DAYS_MAX) found.days.clear();
      return found;
    },
    endAt(batch) {
      last = batch;
      if (known.size > units_max) dropOldest();
    },
    forget,
  };
}
