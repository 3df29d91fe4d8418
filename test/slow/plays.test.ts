import { test } from 'vitest';
import { runPlays } from '../fuzz/plays.ts';

/** Calls of one gateway in all ways at once: `SEED=… npm run test:slow` runs a failure again. */
const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);
const PLAYS = Number(process.env.PLAYS ?? 5000);
const STEPS = 60;

test(`a gateway keeps nothing of calls in ${PLAYS} plays (seed ${SEED})`, async () => {
  await runPlays({ seed: SEED, count: PLAYS, steps: STEPS, endOnFailure: true });
});
