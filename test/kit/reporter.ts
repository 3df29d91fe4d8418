import { writeFileSync } from 'node:fs';
import type { Reporter } from 'vitest/node';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** `N passed, N failed`, and the skipped where there are any: the line that a run ends with. */
export function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/**
 * Ends a run with its closing line. A file that does not load and an error outside of any test
 * count as failed, so that no run with an error reads "0 failed". With a path it is also written
 * there, for `.ci/run`.
 */
export function createCountsReporter(path: string | undefined): Reporter {
  return {
    onTestRunEnd(modules, errors) {
      let failed = errors.length;
      let passed = 0;
      let skipped = 0;
      for (const module of modules) {
        failed += module.errors().length;
        for (const one of module.children.allTests()) {
          const { state } = one.result();
          if (state === 'passed') passed += 1;
          else if (state === 'skipped') skipped += 1;
          else failed += 1;
        }
        for (const suite of module.children.allSuites()) failed += suite.errors().length;
      }
      const line = closingLine({ passed, failed, skipped });
      if (path) writeFileSync(path, `${line}\n`);
      process.stdout.write(`${line}\n`);
    },
  };
}
