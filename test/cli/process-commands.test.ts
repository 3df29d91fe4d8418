import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hive, ROOT, temporaryDir } from './cli-kit.ts';

/** The shipped policies with one line of one file changed. */
function policiesWith(file: string, change: (text: string) => string): string {
  const policies = join(temporaryDir(), 'policies');
  cpSync(join(ROOT, 'policies'), policies, { recursive: true });
  cpSync(join(ROOT, 'models'), join(policies, '..', 'models'), { recursive: true });
  const path = join(policies, file);
  writeFileSync(path, change(readFileSync(path, 'utf8')));
  return policies;
}

describe('hive check', () => {
  test('hive check passes the shipped policies and says who answers each agent', async () => {
    const ran = await hive(['check']);
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toContain('helpful_assistant');
  });

  test('hive check --explain says which variable a value comes from', async () => {
    const env = { ORACLE_CONFIDENCE_THRESHOLD: '0.85' };
    const { out } = await hive(['check', '--explain'], { env });
    expect(out).toMatch(/\/oracle\/safety\/min_confidence = 0\.85 .*ORACLE_CONFIDENCE_THRESHOLD/);
  });

  test('hive check names file, line and column of a typing error, and fails', async () => {
    const policies = policiesWith('pipeline.yaml', (text) => `${text}\nschedul: 1\n`);
    const ran = await hive(['check', '--policies', policies]);
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.err).toMatch(/pipeline\.yaml:\d+:\d+ .*schedul/);
    const { out } = await hive(['check', '--policies', policies, '--json']);
    expect(JSON.parse(out)).toMatchObject({ ok: false });
  });

  test('hive check refuses a bad variable in one line', async () => {
    const ran = await hive(['check'], { env: { CANARY_DEPLOYMENT_PERCENT: '500' } });
    expect(ran.code).toBe(1);
    expect(ran.err).toMatch(/^hive: CANARY_DEPLOYMENT_PERCENT=500 is not valid: allowed is .*\n$/);
  });
});

describe('hive start', () => {
  test('hive start refuses a bad flag in one line, before anything is started', async () => {
    const data = join(temporaryDir(), 'data');
    const ran = await hive(['start', '--port', 'eighty', '--data', data]);
    expect(ran.code).toBe(1);
    expect(ran.err).toMatch(/^hive: HIVE_PORT=eighty is not valid: allowed is .*\n$/);
  });
});
