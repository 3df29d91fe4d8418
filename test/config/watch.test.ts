import { mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { watchPolicies } from '../../src/config/watch.ts';
import { until } from '../kit/until.ts';
import { FILES, GATEWAY, makeFolder, TONE } from './world.ts';

function watched(options: { poll_ms?: number } = { poll_ms: 60_000 }) {
  const folder = makeFolder(FILES);
  const dir = join(folder, 'policies');
  const seen = { changes: 0 };
  const count = (): void => {
    seen.changes += 1;
  };
  const watch = watchPolicies(dir, count, { debounce_ms: 20, ...options });
  onTestFinished(() => watch.close());
  const changed = (least: number) =>
    until(() => seen.changes >= least, { what: `change ${least}`, deadline_ms: 5000 });
  return { folder, dir, seen, changed, watch };
}

describe('watchPolicies', () => {
  test('sees a write, an atomic rename, and a second one after it', async () => {
    const { dir, changed } = watched();
    const path = join(dir, 'gateway.yaml');
    writeFileSync(path, `${GATEWAY}# one\n`);
    await changed(1);
    for (const turn of [2, 3]) {
      writeFileSync(`${path}.new`, `${GATEWAY}# ${turn}\n`);
      renameSync(`${path}.new`, path);
      await changed(turn);
    }
  });

  test('sees prompts, also where their folder comes later', async () => {
    const folder = makeFolder({ 'policies/gateway.yaml': GATEWAY });
    const dir = join(folder, 'policies');
    let changes = 0;
    const count = (): void => {
      changes += 1;
    };
    const watch = watchPolicies(dir, count, {
      debounce_ms: 20,
      poll_ms: 60_000,
    });
    onTestFinished(() => watch.close());
    mkdirSync(join(dir, 'prompts'));
    writeFileSync(join(dir, 'prompts', 'tone.yaml'), TONE);
    await until(() => changes === 1, { what: 'the new prompt' });
    writeFileSync(join(dir, 'prompts', 'tone.yaml'), `${TONE}# more\n`);
    await until(() => changes === 2, { what: 'the edited prompt' });
  });

  test('is silent about files that were touched but hold the same bytes', async () => {
    const { dir, seen, changed } = watched();
    const path = join(dir, 'gateway.yaml');
    writeFileSync(path, GATEWAY);
    utimesSync(path, 1, 1);
    writeFileSync(join(dir, 'notes.txt'), 'nothing of ours');
    // The change that follows shows that the watcher had time to be wrong before.
    writeFileSync(join(dir, 'pipeline.yaml'), 'version: 1\nschedule: { jitter: 0 }\n');
    await changed(1);
    expect(seen.changes).toBe(1);
  });

  test('follows the path when the whole directory is replaced', async () => {
    const { folder, dir, changed } = watched({ poll_ms: 50 });
    renameSync(dir, join(folder, 'old'));
    mkdirSync(dir);
    writeFileSync(join(dir, 'gateway.yaml'), `${GATEWAY}# replaced\n`);
    await changed(1);
  });

  test('says nothing more once it is closed', async () => {
    const { dir, seen, watch } = watched({ poll_ms: 20 });
    watch.close();
    writeFileSync(join(dir, 'gateway.yaml'), `${GATEWAY}# late\n`);
    const count = (): void => {
      seen.changes += 100;
    };
    const other = watchPolicies(dir, count, { debounce_ms: 20 });
    onTestFinished(() => other.close());
    writeFileSync(join(dir, 'gateway.yaml'), `${GATEWAY}# later\n`);
    await until(() => seen.changes >= 100, { what: 'the second watch' });
    expect(seen.changes).toBe(100);
  });
});
