import { defineConfig } from 'vitest/config';

/** What takes minutes: `npm run test:slow`, with `SEED=…` to run a failure again. */
export default defineConfig({
  test: {
    include: ['test/slow/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30 * 60_000,
    hookTimeout: 60_000,
    disableConsoleIntercept: true,
  },
});
