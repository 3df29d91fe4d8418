import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { REPO } from './product.ts';
import { closingLine } from './reporter.ts';

const VITEST = join(REPO, 'node_modules/vitest/vitest.mjs');

async function runTests(files: Readonly<Record<string, string>>): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'hive-reporter-'));
  const counts = join(dir, 'counts');
  const config = `import { createCountsReporter } from '${join(REPO, 'test/kit/reporter.ts')}';
    export default { test: { globals: true, reporters: [createCountsReporter('${counts}')] } };`;
  for (const [name, text] of Object.entries({ ...files, 'vitest.config.mjs': config })) {
    writeFileSync(join(dir, name), text);
  }
  // A run with failures ends with an exit code that is not 0, which is what it should.
  const run = promisify(execFile)(process.execPath, [VITEST, 'run'], { cwd: dir });
  const { stdout } = await run.catch((failed: { stdout: string }) => failed);
  const written = readFileSync(counts, 'utf8');
  rmSync(dir, { recursive: true });
  expect(stdout.endsWith(written)).toBe(true);
  return written.trim();
}

describe('the counts reporter', () => {
  test('closingLine names the skipped only where there are any', () => {
    expect(closingLine({ passed: 2, failed: 0, skipped: 0 })).toBe('2 passed, 0 failed');
    expect(closingLine({ passed: 2, failed: 1, skipped: 3 })).toBe('2 passed, 1 failed, 3 skipped');
  });

  test('reporter counts tests, and files that do not load as failed', async () => {
    const line = await runTests({
      'a.test.js': `test('yes', () => {}); test('no', () => { throw new Error('no'); });
        test.skip('later', () => {});`,
      'b.test.js': `throw new Error('does not load');`,
      'c.test.js': `describe('group', () => {
        beforeAll(() => { throw new Error('no server'); });
        test('never', () => {});
      });`,
    });
    expect(line).toBe('1 passed, 3 failed, 2 skipped');
  });
});
