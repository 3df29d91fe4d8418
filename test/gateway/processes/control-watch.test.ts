import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { controlPath, readControl, writeControl } from '../../../src/config/control.ts';
import { silentLog } from '../../../src/core/log.ts';
import { type Control, EMPTY_CONTROL } from '../../../src/core/state.ts';
import { watchControl } from '../../../src/gateway/processes/control-watch.ts';
import { until } from '../../kit/until.ts';

describe('watchControl', () => {
  test('watchControl obeys within a second, and ignores a bad file', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'hive-control-'));
    const seen: Control[] = [];
    const errors: string[] = [];
    const watch = watchControl({
      first: EMPTY_CONTROL,
      read: () => readControl(dir),
      onChange: (control) => seen.push(control),
      log: { ...silentLog, error: (message) => errors.push(message) },
    });
    try {
      const frozen = { frozen: true, withdrawn: ['rollback_1'] };
      writeControl(dir, frozen);
      await until(() => seen.length === 1, { what: 'the freeze', deadline_ms: 1000 });
      expect(watch.control()).toEqual(frozen);
      await writeFile(controlPath(dir), '{"frozen":');
      await until(() => errors.length === 1, { what: 'the complaint', deadline_ms: 2000 });
      expect(watch.control()).toEqual(frozen);
      writeControl(dir, EMPTY_CONTROL);
      await until(() => seen.length === 2, { what: 'the thaw', deadline_ms: 1000 });
      expect(seen).toEqual([frozen, EMPTY_CONTROL]);
      expect(errors).toHaveLength(1);
    } finally {
      watch.close();
      await rm(dir, { recursive: true });
    }
  });
});
