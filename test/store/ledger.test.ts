import { expect, test } from 'vitest';
import type { LedgerChange } from '../../src/core/event.ts';
import type { Analysis, Finding, GateVerdict } from '../../src/core/oracle.ts';
import {
  type CycleRow,
  findingsByIds,
  insertAnalysis,
  insertAudit,
  insertVerdicts,
  readAnalysis,
  readAudit,
  readCycle,
  readCycles,
  readVerdicts,
  upsertCycle,
} from '../../src/store/audit-trail.ts';
import {
  readEpoch,
  readExperiments,
  readMeta,
  readMutations,
  readPlans,
  upsertLedger,
  writeMeta,
} from '../../src/store/ledger.ts';
import { NOON_MS } from '../kit/events.ts';
import { describeStores } from '../kit/store-suite.ts';

describeStores('the ledger', ({ store }) => {
  const ids = (rows: readonly { id: string }[]) => rows.map(({ id }) => id);

  test('upsertLedger gives back whole rows, found by what has a column', async () => {
    const mutation = (id: string, seq: number, state: string, agent: string) => ({
      table: 'mutations' as const,
      row: { id, seq, state, agent, rollback_key: `rollback_${id}`, plan: 'p1', patch: { a: [1] } },
    });
    const changes: LedgerChange[] = [
      mutation('m2', 1, 'canary', 'a'),
      mutation('m1', 2, 'applied', 'b'),
      { table: 'plans' as const, row: { id: 'p1', state: 'approved', mutations: [] } },
      { table: 'plans' as const, row: { id: 'p2', state: 'failed', mutations: [] } },
      { table: 'experiments' as const, row: { id: 'e1', state: 'canary', agent: 'a' } },
    ];
    await upsertLedger(store.db, changes, 4);
    expect(ids(await readMutations(store.db))).toEqual(['m2', 'm1']);
    expect(ids(await readMutations(store.db, { states: ['applied'] }))).toEqual(['m1']);
    expect(ids(await readMutations(store.db, { agent: 'a' }))).toEqual(['m2']);
    expect(ids(await readMutations(store.db, { rollback_key: 'rollback_m1' }))).toEqual(['m1']);
    expect(await readMutations(store.db, { ids: ['m2'] })).toEqual([
      { id: 'm2', state: 'canary', epoch: 4, row: changes[0]?.row },
    ]);
    expect(ids(await readPlans(store.db))).toEqual(['p2', 'p1']);
    expect(ids(await readPlans(store.db, { state: 'approved' }))).toEqual(['p1']);
    expect(ids(await readExperiments(store.db, { states: ['canary'] }))).toEqual(['e1']);
    expect(await readEpoch(store.db)).toBe(4);
  });

  test('upsertLedger takes the later of two changes of one row', async () => {
    const change = (state: string) => ({ table: 'plans' as const, row: { id: 'p', state } });
    await upsertLedger(store.db, [change('proposed'), change('approved')], 1);
    expect(await readPlans(store.db)).toMatchObject([{ state: 'approved' }]);
  });

  test('upsertLedger within a transaction that fails leaves nothing', async () => {
    const failed = store.transaction(async (tx) => {
      await upsertLedger(tx, [{ table: 'plans', row: { id: 'p', state: 'x' } }], 9);
      throw new Error('killed here');
    });
    await expect(failed).rejects.toThrow('killed here');
    expect(await readPlans(store.db)).toEqual([]);
    expect(await readEpoch(store.db)).toBe(0);
  });

  test('writeMeta keeps any JSON by its key', async () => {
    expect(await readMeta(store.db, 'k')).toBeUndefined();
    await writeMeta(store.db, 'k', { a: [1, null] });
    await writeMeta(store.db, 'k', 'text');
    expect(await readMeta(store.db, 'k')).toBe('text');
  });

  test('insertAnalysis lets findings be named by id', async () => {
    const finding = (id: string) => ({ id, text: 'bad' }) as unknown as Finding;
    const findings = [finding('f1'), finding('f2')];
    const analysis = { id: 'a1', at_ms: NOON_MS, findings } as unknown as Analysis;
    await insertAnalysis(store.db, analysis);
    await insertAnalysis(store.db, analysis);
    expect(await readAnalysis(store.db, 'a1')).toEqual(analysis);
    expect(await readAnalysis(store.db, 'a2')).toBeNull();
    const found = await findingsByIds(store.db, ['f2', 'unknown', 'f1']);
    expect(found).toEqual([finding('f2'), finding('f1')]);
  });

  test('upsertCycle fills a cycle’s columns one by one', async () => {
    const cycle: CycleRow = {
      id: 'cy1',
      state: 'running',
      started_ms: NOON_MS,
      ended_ms: null,
      stages: { collect: { segments: 2 } },
    };
    await upsertCycle(store.db, cycle);
    const done: CycleRow = { ...cycle, state: 'done', ended_ms: NOON_MS + 5, stages: {} };
    await upsertCycle(store.db, done);
    expect(await readCycle(store.db, 'cy1')).toEqual(done);
    await upsertCycle(store.db, { ...cycle, id: 'cy2', started_ms: NOON_MS + 9 });
    expect(ids(await readCycles(store.db, 1))).toEqual(['cy2']);
  });

  test('insertVerdicts keeps every judgement with its time', async () => {
    const verdict: GateVerdict = {
      mutation: 'm1',
      gate: 'schema',
      verdict: 'pass',
      reason: 'it stands',
      inputs_sha256: 'abc',
    };
    await insertVerdicts(store.db, 'p1', NOON_MS, [verdict]);
    await insertVerdicts(store.db, 'p1', NOON_MS + 1, [{ ...verdict, verdict: 'fail' }]);
    expect(await readVerdicts(store.db, 'p1')).toEqual([
      { ...verdict, at_ms: NOON_MS },
      { ...verdict, verdict: 'fail', at_ms: NOON_MS + 1 },
    ]);
  });

  test('insertAudit tells who did what, in order', async () => {
    const entry = { at_ms: NOON_MS, action: 'approve', subject: 'p1', by: 'ann', note: null };
    await insertAudit(store.db, entry);
    await insertAudit(store.db, { ...entry, subject: 'p2', by: null });
    expect(await readAudit(store.db, 'p1')).toEqual([entry]);
    expect(await readAudit(store.db)).toHaveLength(2);
  });
});
