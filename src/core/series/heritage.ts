/** Judges a number by those before it, and learns it. */
export type Judge = (value: number) => number;

export interface Heritage {
  /** Judges the number, then learns it. */
  push(value: number): number;
  /** What was learned no longer holds: a successor begins to learn. */
  renew(): void;
}

/** Numbers that a successor learns before it judges. */
const APPRENTICE_ROWS = 80;

/**
 * A judge whose past can become obsolete, as errors do once a season is known: the old one judges
 * until its successor has learned enough, so there is no blind time between.
 */
export function createHeritage(create: () => Judge): Heritage {
  let now = create();
  let heir: Judge | null = null;
  let learned = 0;
  return {
    push(value) {
      const judged = now(value);
      if (heir === null) return judged;
      heir(value);
      learned += 1;
      if (learned >= APPRENTICE_ROWS) {
        now = heir;
        heir = null;
      }
      return judged;
    },
    renew() {
      heir = create();
      learned = 0;
    },
  };
}
