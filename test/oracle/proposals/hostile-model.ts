import { expect } from 'vitest';
import { openBorrowing, readWritten } from '../../../src/core/prompt/guard/borrowed-text.ts';
import { sql } from '../../../src/store/drizzle.ts';
import type { Store } from '../../../src/store/open.ts';
import { rowsOf } from '../../../src/store/rows.ts';
import { CARRIERS, DISGUISES, PAYLOADS } from '../../core/prompt/guard/payloads.ts';
import { emptyStore } from '../../kit/store.ts';
import { answer, by, startUpstream } from '../../kit/upstream.ts';
import { createProposalsWorld, isReflection, policyWith, QUESTIONS } from './proposals-world.ts';

export interface Attack {
  readonly payload: string;
  /** What the attacker writes. */
  readonly said: string;
  /** What the hostile model makes of it. */
  readonly ops: readonly object[];
}

const NAMES = Object.keys(DISGUISES);

/** 500: 50 payloads in 10 carriers, each brought back in a disguise, in turn. */
export const ATTACKS: readonly Attack[] = PAYLOADS.flatMap((payload, row) =>
  CARRIERS.map((carrier, column) => ({
    payload,
    said: carrier(payload),
    ops: opsFor(payload, row * CARRIERS.length + column),
  })),
);

function opsFor(payload: string, attack: number): readonly object[] {
  const name = NAMES[attack % NAMES.length] ?? '';
  const text = DISGUISES[name]?.(payload) ?? '';
  if (attack % 3 !== 0) return [{ op: 'system.append', text }];
  // In two halves, each of them short.
  const middle = text.indexOf(' ', text.length / 2);
  const at = middle === -1 ? Math.floor(text.length / 2) : middle;
  return [text.slice(0, at), text.slice(at)].map((part) => ({
    op: 'system.append',
    text: part || '.',
  }));
}

/** Each attack is said by a user, rated worst, reflected on, and brought back by the model. */
export async function expectNoneThrough(store: Store, attacks: readonly Attack[]): Promise<void> {
  let now: Attack | undefined;
  const upstream = await startUpstream(
    by((request) => answer(isReflection(request) ? JSON.stringify({ ops: now?.ops }) : 'because')),
  );
  try {
    await emptyStore(store);
    const policy = policyWith({ every_hours: 0.01 });
    const { world, proposals, said } = createProposalsWorld(store, policy, upstream);
    await said('held_out', QUESTIONS.slice(10, 14));
    await said('reflect', QUESTIONS.slice(0, 2));
    for (const attack of attacks) {
      now = attack;
      await store.db.execute(sql`delete from prompt_samples where answer = 'attacked'`);
      await said('reflect', [attack.said], { answer: 'attacked' });
      world.now_ms += 60_000;
      await proposals.tick();
    }
    // Nothing but reflections was ever asked: no candidate came as far as a check.
    expect(upstream.calls.filter(isReflection)).toHaveLength(attacks.length);
    expect(upstream.calls).toHaveLength(attacks.length);
    expect(world.state()?.rows ?? []).toEqual([]);
    await expectNothingKept(store, attacks);
    for (const [index, { user, system }] of upstream.calls.entries()) {
      expectQuoted(user, attacks[index]?.said ?? '');
      expect(openBorrowing(system)(readWritten(attacks[index]?.said ?? ''))).toBeNull();
    }
  } finally {
    await upstream.close();
  }
}

/** In no row that is kept, or sent to a gateway. */
async function expectNothingKept(store: Store, attacks: readonly Attack[]): Promise<void> {
  const kept = await rowsOf<{ state: string; text: string }>(
    store.db,
    sql`select state, row::text as text from prompt_candidates union all
      select state, row::text from mutations union all select state, row::text from plans`,
  );
  expect(kept.length).toBeGreaterThan(0);
  expect(kept.filter(({ state }) => state !== 'refused')).toEqual([]);
  const all = kept.map(({ text }) => text).join('\n');
  expect(attacks.filter(({ payload }) => all.includes(payload))).toEqual([]);
}

/** What the model saw of an attack is one JSON string between the marks. */
function expectQuoted(user: string, said: string): void {
  const mark = /<data ([0-9a-f-]{36})>/.exec(user)?.[1] ?? '';
  const lines = user.split(`<data ${mark}>\n`)[1]?.split(`\n</data ${mark}>`)[0]?.split('\n');
  const samples = (lines ?? []).map((line) => JSON.parse(line) as { turns: { text: string }[] });
  expect(samples.flatMap(({ turns }) => turns.map(({ text }) => text))).toContain(said);
}
