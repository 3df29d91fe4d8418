import type { LoadedPolicy } from '../config/snapshot.ts';
import { GatewayError, messageOf } from '../core/errors.ts';
import { rowsTakenBack } from '../core/fold.ts';
import type { ExperimentRecord, MutationRecord } from '../core/ledger.ts';
import { insertAudit } from '../store/audit-trail.ts';
import { stepCanary } from './canary.ts';
import type { OracleContext } from './context.ts';
import type { Change } from './ledger.ts';
import type { Rollback } from './oracle.ts';
import { canariesOf, inForceOf, isLive, type LedgerView, rowOf } from './records.ts';

/** What every key that we give looks like; another one cannot name a row. */
const KEY = /^rollback_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** An emergency does not wait for a store that does not answer. */
const EMERGENCY_WAIT_MS = 2000;

/**
 * Takes an executed change back, with the later ones that stand on it. Twice is the same as once.
 */
export async function rollback(
  context: OracleContext,
  input: { readonly rollback_key: string; readonly emergency: boolean },
): Promise<Rollback> {
  const { rollback_key, emergency } = input;
  if (typeof rollback_key !== 'string' || rollback_key === '') {
    const param = 'rollback_key';
    throw new GatewayError('bad_request', 'rollback_key must be a string.', { param });
  }
  if (!KEY.test(rollback_key)) throw unknownKey(rollback_key);
  if (!emergency) return withdraw(context, rollback_key, 'rolled back');
  context.writeControlWithdrawn(rollback_key);
  const remembered = context.ledger.lastView();
  try {
    const taken = withdraw(context, rollback_key, 'rolled back in an emergency');
    return await withinTime(taken, EMERGENCY_WAIT_MS);
  } catch (thrown) {
    if (thrown instanceof GatewayError && thrown.code === 'not_found') throw thrown;
    context.log.error('the ledger did not take an emergency rollback; control.json has it', {
      rollback_key,
      error: messageOf(thrown),
    });
    return answerFrom(remembered, context.loaded(), rollback_key);
  }
}

/** The answer where the store gave none: from the rows as they were last known. */
function answerFrom(view: LedgerView | null, loaded: LoadedPolicy, key: string): Rollback {
  const known = view?.rows ?? [];
  const taken = takenBy(known, key);
  const gone = new Set(taken.map(({ id }) => id));
  const rest = known.filter(({ id }) => !gone.has(id));
  const { version } = inForceOf(loaded, rest);
  const keys = taken.length > 0 ? taken.map((row) => row.rollback_key) : [key];
  return { rolled_back: keys, version, effective: false, already: false };
}

function takenBy(rows: readonly MutationRecord[], key: string): readonly MutationRecord[] {
  const target = rows.find((row) => row.rollback_key === key);
  if (!target || !isLive(target)) return [];
  const ids = new Set(rowsTakenBack(rows.filter(isLive).map(rowOf), target.id).map(({ id }) => id));
  return rows.filter(({ id }) => ids.has(id));
}

function withdraw(context: OracleContext, key: string, reason: string): Promise<Rollback> {
  return withdrawChosen(context, () => key, reason);
}

/** Takes back the row whose key is chosen in the same turn: a compare, then the set. */
export async function withdrawChosen(
  context: OracleContext,
  choose: (view: LedgerView) => string,
  reason: string,
): Promise<Rollback> {
  const done = await context.ledger.exclusive(async (commit) => {
    const view = await context.ledger.view();
    const key = choose(view);
    if (!view.rows.some((row) => row.rollback_key === key && row.executed_ms !== null)) {
      throw unknownKey(key);
    }
    const taken = takenBy(view.rows, key);
    if (taken.length === 0) return { epoch: view.epoch, keys: [key], already: true };
    const at_ms = context.clock.policy_ms();
    const audit = { at_ms, action: 'rollback', subject: key, by: null, note: reason };
    const epoch = await commit({
      ...withdrawal(view, taken, reason, at_ms),
      also: (db) => insertAudit(db, audit),
    });
    context.log.warn('rolled back', { key, rows: taken.length, reason });
    return { epoch, keys: taken.map((row) => row.rollback_key), already: false };
  });
  const effective = await context.effect.wait(done.epoch);
  const { rows } = await context.ledger.view();
  const { version } = inForceOf(context.loaded(), rows);
  return { rolled_back: done.keys, version, effective, already: done.already };
}

/** Rows and their experiments as they are once taken back. */
function withdrawal(
  view: LedgerView,
  taken: readonly MutationRecord[],
  reason: string,
  at_ms: number,
): Change {
  const mutations: MutationRecord[] = [];
  const experiments: ExperimentRecord[] = [];
  const canaries = canariesOf(view);
  for (const row of taken) {
    const canary = canaries.find((one) => one.row.id === row.id);
    const next = canary && stepCanary(canary, { kind: 'withdraw', reason }, at_ms);
    if (next) {
      mutations.push(next.row);
      experiments.push(next.experiment);
    } else mutations.push({ ...row, state: 'withdrawn', ended_ms: at_ms, reason });
  }
  return { mutations, experiments };
}

/**
 * Withdraws in the ledger what was withdrawn by hand in `control.json`; what is unknown is left.
 */
export async function withdrawAll(
  context: OracleContext,
  keys: readonly string[],
): Promise<readonly string[]> {
  const { rows } = await context.ledger.view();
  const live = rows.filter((row) => isLive(row) && keys.includes(row.rollback_key));
  for (const { rollback_key } of live) {
    await withdraw(context, rollback_key, 'withdrawn in control.json');
  }
  return live.map(({ rollback_key }) => rollback_key);
}

/** Marks rows that the fold refused because what lies under them was edited: operators win. */
export function supersede(context: OracleContext, ids: readonly string[]): Promise<number> {
  return context.ledger.exclusive(async (commit) => {
    const view = await context.ledger.view();
    const at_ms = context.clock.policy_ms();
    const reason = 'what lies under it was edited';
    const canaries = canariesOf(view);
    const mutations: MutationRecord[] = [];
    const experiments: ExperimentRecord[] = [];
    for (const row of view.rows.filter((one) => isLive(one) && ids.includes(one.id))) {
      const canary = canaries.find((one) => one.row.id === row.id);
      const next = canary && stepCanary(canary, { kind: 'supersede', reason }, at_ms);
      if (next) experiments.push(next.experiment);
      mutations.push(next?.row ?? { ...row, state: 'superseded', ended_ms: at_ms, reason });
    }
    if (mutations.length > 0) await commit({ mutations, experiments });
    return mutations.length;
  });
}

function unknownKey(key: string): GatewayError {
  const message = `No change has the rollback key ${key}.`;
  return new GatewayError('not_found', message, { param: 'rollback_key' });
}

async function withinTime<Result>(work: Promise<Result>, wait_ms: number): Promise<Result> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new GatewayError('not_ready', `the store did not answer within ${wait_ms} ms`));
  }, wait_ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
