import type { UnitDay } from './unit-day.ts';

/** What is known of one unit of an agent. */
export interface KnownUnit {
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
  /** The unit, which becomes the newest that is kept. */
  of(agent: string, unit: string): KnownUnit;
  /** The batch that was applied to what is kept; drops the units that were not seen for longest. */
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
  const forget = (): void => {
    known.clear();
    last = null;
  };
  return {
    startAt(batch) {
      if (batch !== last) forget();
    },
    of(agent, unit) {
      const key = `${agent}\t${unit}`;
      const found = known.get(key) ?? { agent, unit, half: halfOf(unit), days: new Map() };
      known.delete(key);
      known.set(key, found);
      if (found.days.size > DAYS_MAX) found.days.clear();
      return found;
    },
    endAt(batch) {
      last = batch;
      for (const key of known.keys()) {
        if (known.size <= units_max) break;
        known.delete(key);
      }
    },
    forget,
  };
}
