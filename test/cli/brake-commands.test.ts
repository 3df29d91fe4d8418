import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readControl, writeControl } from '../../src/config/control.ts';
import { writeLastGood } from '../../src/config/last-good.ts';
import type { Row } from '../../src/core/oracle.ts';
import { aReport, type RunningAdmin, startAdmin } from '../admin/admin-kit.ts';
import { hive, temporaryDir } from './cli-kit.ts';

const ROW: Row = {
  seq: 1,
  id: 'mut_1',
  rollback_key: 'rollback_1',
  type: 'LORA_APPLY',
  agent: 'helpful_assistant',
  state: 'applied',
  touches: ['/agents/helpful_assistant/adapter'],
  before: { '/agents/helpful_assistant/adapter': 'none' },
  patch: { agents: { helpful_assistant: { adapter: 'upper' } } },
};

async function deadUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

describe('the brake with the worker dead', () => {
  let data: string;
  let args: readonly string[];
  beforeEach(async () => {
    data = temporaryDir();
    args = ['--data', data, '--admin', await deadUrl()];
  });

  test('freeze and unfreeze write control.json and say that nobody answers', async () => {
    writeControl(data, { frozen: false, withdrawn: ['rollback_9'] });
    const frozen = await hive(['freeze', ...args]);
    expect(frozen).toMatchObject({ code: 0, err: '' });
    expect(frozen.out).toMatch(/^Frozen: no canary is served .*does not answer.*within a second/);
    expect(readControl(data)).toEqual({ frozen: true, withdrawn: ['rollback_9'] });

    const thawed = await hive(['unfreeze', ...args, '--json']);
    expect(JSON.parse(thawed.out)).toEqual({
      frozen: false,
      confirmed: false,
      gateway: 'unreachable',
    });
    expect(readControl(data)).toEqual({ frozen: false, withdrawn: ['rollback_9'] });
  });

  test('rollback --emergency withdraws a live change, twice as once', async () => {
    const state = { epoch: 3, rows: [ROW], experiments: [], content: {} };
    writeLastGood(data, { state, source_sha256: 'ab' });
    for (const _ of [1, 2]) {
      const ran = await hive(['rollback', 'rollback_1', '--emergency', ...args]);
      expect(ran).toMatchObject({ code: 0, err: '' });
      expect(ran.out).toContain(
        'rollback_1 (LORA_APPLY of helpful_assistant, applied) is withdrawn',
      );
      expect(readControl(data).withdrawn).toEqual(['rollback_1']);
    }
  });

  test('rollback --emergency doubts a key that no live change has, and keeps it', async () => {
    const state = { epoch: 3, rows: [ROW], experiments: [], content: {} };
    writeLastGood(data, { state, source_sha256: 'ab' });
    const ran = await hive(['rollback', 'rollback_2', '--emergency', ...args]);
    expect(ran.code).toBe(1);
    expect(ran.out).toContain('holds no live change with this key');
    expect(readControl(data).withdrawn).toEqual(['rollback_2']);
  });

  test('rollback without --emergency writes nothing', async () => {
    const ran = await hive(['rollback', 'rollback_1', ...args]);
    expect(ran.code).toBe(1);
    expect(ran.err).toContain('cannot be reached');
    expect(readControl(data).withdrawn).toEqual([]);
  });

  test('freeze refuses a data directory that is not there, and one it cannot read', async () => {
    const lost = await hive(['freeze', '--data', join(data, 'lost')]);
    expect(lost.code).toBe(1);
    expect(lost.err).toMatch(/^hive: there is no data directory .*lost: name .*--data.*\n$/);

    mkdirSync(join(data, 'odd'));
    writeFileSync(join(data, 'odd', 'control.json'), '{"frozen":');
    const odd = await hive(['freeze', '--data', join(data, 'odd')]);
    expect(odd.code).toBe(1);
    expect(odd.err).toMatch(/^hive: .*control.json cannot be read: mend it.*\n$/);
  });
});

describe('the brake with all running', () => {
  let data: string;
  let running: RunningAdmin;
  beforeEach(async () => {
    data = temporaryDir();
    running = await startAdmin();
  });
  afterEach(() => running.admin.close());

  /** An admin API whose gateway obeys the control.json of `obeyed` and says it lives in `named`. */
  const over = (obeyed: string, named: string): Promise<RunningAdmin> =>
    startAdmin({
      report: () => aReport({ frozen: readControl(obeyed).frozen }),
      extras: () => ({ ...running.deps.extras(), data_dir: named }),
    });

  test('freeze waits until the gateway confirms it', async () => {
    const obedient = await over(data, data);
    const ran = await hive(['freeze', '--data', data, '--admin', obedient.url]);
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toBe(
      'Frozen: no canary is served until "hive unfreeze". The gateway confirms it.\n',
    );
    await obedient.admin.close();
  });

  test('freeze says so where the product has another data directory', async () => {
    const other = temporaryDir();
    const elsewhere = await over(other, other);
    const ran = await hive(['freeze', '--data', data, '--admin', elsewhere.url]);
    expect(ran.code).toBe(1);
    expect(ran.out).toMatch(/^Nothing has changed for .* has another data directory: give --data/);
    await elsewhere.admin.close();
  });

  test('rollback --emergency writes the brake first and then asks the worker', async () => {
    const plan = await running.oracle.plan({
      mutations: [{ type: 'LORA_APPLY', agent: 'a', patch: { agents: { a: { adapter: 'b' } } } }],
    });
    const approved = await running.oracle.approve(plan.id, null, null);
    await running.oracle.execute(approved, { dry_run: false });
    const args = ['rollback', 'rollback_mut_0', '--emergency', '--data', data];
    const ran = await hive([...args, '--admin', running.url]);
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toContain('Taken back: rollback_mut_0.');
    expect(readControl(data).withdrawn).toEqual(['rollback_mut_0']);
    expect(running.oracle.ledger.heard.get('rollback')).toEqual({
      rollback_key: 'rollback_mut_0',
      emergency: true,
    });
  });

  test('rollback --emergency leaves no trace of a key that the ledger does not know', async () => {
    writeControl(data, { frozen: true, withdrawn: ['rollback_9'] });
    const args = ['rollback', 'rollback_12345', '--emergency', '--data', data];
    const ran = await hive([...args, '--admin', running.url]);
    expect(ran).toEqual({
      code: 1,
      out: '',
      err: 'hive: not_found: There is no rollback key rollback_12345.\nhive: see: hive mutations\n',
    });
    expect(readControl(data)).toEqual({ frozen: true, withdrawn: ['rollback_9'] });
  });
});
