import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../../src/store/open.ts';
import { type RunningAdmin, startAdmin } from '../admin/admin-kit.ts';
import { emptyStore, openTestStore } from '../kit/store.ts';
import { createWorld } from '../oracle/world.ts';
import { hive, temporaryDir } from './cli-kit.ts';

let store: Store;
let running: RunningAdmin;

beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());
beforeEach(async () => {
  await emptyStore(store);
  running = await startAdmin({ prompts: createWorld(store).oracle.prompts });
});
afterEach(() => running.admin.close());

const ask = (...words: readonly string[]) =>
  hive(['prompts', ...words], { env: { HIVE_ADMIN_PORT: String(running.port) } });

describe('hive prompts', () => {
  test('hive prompts moves a label, shows who did, and puts it back', async () => {
    expect((await ask('list')).out).toMatch(/^prompt .*\ntone +1, 2 +production=1 +duo \(@1\)\n$/);
    const by = ['--by', 'ann', '--note', 'kinder'];
    const moved = await ask('label', 'tone', 'production', '2', '--expected', '1', ...by);
    expect(moved.out).toMatch(
      /^label production of tone is at 2 \(was 1\); every gateway serves it; its key is rollback_/,
    );
    const stale = await ask('label', 'tone', 'production', '1', '--expected', '1');
    expect(stale).toMatchObject({
      code: 1,
      err: 'hive: superseded: Label production is at 2, not at 1.\n',
    });
    const shown = (await ask('show', 'tone')).out;
    expect(shown).toContain('tone: production=2\n@1 from file, up to 3 tokens: system.append');
    expect(shown).toMatch(/labels\/production +applied +set by ann: kinder +rollback_/);
    expect(shown).toContain('No call had it yet.');
    const back = await ask('rollback', 'tone', '--expected', '2');
    expect(back.out).toContain('label production of tone is at 1 (was 2)');
  });

  test('hive prompts imports a result and compares it with what is served', async () => {
    const file = join(temporaryDir(), 'gepa.json');
    const candidates = [{ a: 'No.' }, { a: 'Be exact.' }];
    writeFileSync(file, JSON.stringify({ candidates, val_aggregate_scores: [0, 1] }));
    const imported = await ask('import', 'tone', file, '--label', 'staging');
    expect(imported.out).toContain('label staging of tone is at 3 (was nothing)');
    const diff = await ask('diff', 'tone', 'production', 'staging');
    expect(diff.out).toContain('-   Be brief.\n+   Be exact.\n');
    writeFileSync(file, '{');
    expect((await ask('import', 'tone', file)).err).toContain('is no JSON');
    expect((await ask('show', 'none')).code).toBe(1);
  });

  test('hive prompts says how it is used', async () => {
    const wrong = await ask('label', 'tone');
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain('usage: hive prompts label NAME LABEL VERSION');
    expect((await ask('sing')).err).toContain('hive prompts import NAME FILE');
  });
});
