/** One that judges a number by those before it; `learn` may be the same function. */
export interface Judge {
  readonly judge: (value: number) => number;
  readonly learn: (value: number) => unknown;
}

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
  const judgeOf = (one: Judge, value: number): number => {
    const judged = one.judge(value);
    if (one.learn !== one.judge) one.learn(value);
    return judged;
  };
  return {
    push(value) {
      const judged = judgeOf(now, value);
      if (heir === null) return judged;
      judgeOf(heir, value);
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
