import { defineConfig } from 'vitest/config';
import { createCountsReporter } from './test/kit/reporter.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/slow/**', '**/node_modules/**'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: ['default', createCountsReporter(process.env.TEST_COUNTS)],
  },
});
