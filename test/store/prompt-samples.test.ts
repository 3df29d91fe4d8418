import { describe, expect, test } from 'vitest';
import type { JournalRecord } from '../../src/core/event.ts';
import type { PromptSample } from '../../src/core/prompt/sample.ts';
import {
  pruneCandidates,
  readCandidates,
  writeCandidate,
} from '../../src/store/prompt-candidates.ts';
import {
  countSamples,
  deleteSamples,
  forgetSamples,
  halfOfUnit,
  insertSamples,
  readSamples,
  tendSamples,
} from '../../src/store/prompt-samples.ts';
import { callEvent, feedbackEvent, NOON_MS } from '../kit/events.ts';
import { describeStores } from '../kit/store-suite.ts';

describeStores('samples', ({ store, apply }) => {
  const HOUR_MS = 3_600_000;
  const KEEPING = { now_ms: NOON_MS + HOUR_MS, matured_ms: 1_800_000, days: 7, kept_max: 20 };

  /** Units of one half, as many as wanted. */
  function unitsOf(half: 'reflect' | 'held_out', count: number): readonly string[] {
    const units: string[] = [];
    for (let n = 0; units.length < count; n += 1) {
      if (halfOfUnit(`u:${n}`) === half) units.push(`u:${n}`);
    }
    return units;
  }

  function sampleOf(call: string, unit: string, over: Partial<PromptSample> = {}): PromptSample {
    return {
      call,
      unit,
      at_ms: NOON_MS,
      tenant: 'default',
      agent: 'default',
      user: unit,
      session: null,
      served: 'demo',
      turns: [{ role: 'user', text: 'hi \0 \ud800' }],
      answer: 'hello',
      ...over,
    };
  }

  async function serve(samples: readonly PromptSample[], said: readonly JournalRecord[]) {
    const calls = samples.map(({ call, unit, user }) => callEvent(call, { unit, user }));
    await apply(...calls, ...said);
    await insertSamples(store.db, samples);
  }

  describe('tendSamples', () => {
    test('tendSamples keeps the worst rated, the corrected, and a part held out', async () => {
      const reflect = unitsOf('reflect', 4);
      const held = unitsOf('held_out', 15);
      const samples = [...reflect, ...held].map((unit) => sampleOf(`call_${unit}`, unit));
      const follow_up = { class: 'wrong_answer', correction: true } as const;
      await serve(samples, [
        feedbackEvent('fb_1.rating', { call: `call_${reflect[0]}`, text: 'too long' }),
        feedbackEvent('fb_2.correction', { call: `call_${reflect[1]}`, signal: 'correction' }),
        callEvent('call_next', {
          parent: `call_${reflect[2]}`,
          relation: 'turn',
          follow_up,
          unit: String(reflect[2]),
          at_ms: NOON_MS + 5,
        }),
      ]);
      await tendSamples(store.db, { ...KEEPING, now_ms: NOON_MS + 60_000 });
      expect(await countSamples(store.db)).toMatchObject([
        { half: 'held_out', label: 'new', samples: 15 },
        { half: 'reflect', label: 'new', samples: 4 },
      ]);
      await tendSamples(store.db, KEEPING);
      const counts = (await countSamples(store.db)).map(({ half, label, samples: n }) => [
        half,
        label,
        n,
      ]);
      expect(counts).toEqual([
        ['held_out', 'random', 10],
        ['reflect', 'corrected', 2],
        ['reflect', 'worst', 1],
      ]);
      const read = await readSamples(store.db, { agent: 'default', half: 'reflect', limit: 10 });
      const worst = read.find(({ label }) => label === 'worst');
      expect(worst).toMatchObject({ said: ['too long'], answer: 'hello', served: 'demo' });
      expect(worst?.turns[0]?.text).toBe('hi \ufffd \ufffd');
    });

    test('tendSamples deletes what is old, whatever it is', async () => {
      const [unit = ''] = unitsOf('reflect', 1);
      await serve([sampleOf('call_1', unit)], [feedbackEvent('fb_1.rating', { call: 'call_1' })]);
      await tendSamples(store.db, KEEPING);
      expect(await countSamples(store.db)).toHaveLength(1);
      await tendSamples(store.db, { ...KEEPING, now_ms: NOON_MS + 8 * 24 * HOUR_MS });
      expect(await countSamples(store.db)).toEqual([]);
    });

    test('insertSamples keeps the first of a call, and has a bound on what is new', async () => {
      await insertSamples(store.db, [sampleOf('call_1', 'u:1')]);
      await insertSamples(store.db, [sampleOf('call_1', 'u:1', { answer: 'another' })]);
      const many = Array.from({ length: 2500 }, (_, n) => sampleOf(`call_x${n}`, `u:${n}`));
      for (let at = 0; at < many.length; at += 500) {
        await insertSamples(store.db, many.slice(at, at + 500));
      }
      const total = (await countSamples(store.db)).reduce((sum, { samples }) => sum + samples, 0);
      expect(total).toBeGreaterThanOrEqual(2000);
      expect(total).toBeLessThan(2501);
    });

    test('forgetSamples deletes a user’s and a session’s, and deleteSamples all', async () => {
      await insertSamples(store.db, [
        sampleOf('call_1', 'u:1', { user: 'ann' }),
        sampleOf('call_2', 'u:2', { user: null, session: 's' }),
        sampleOf('call_3', 'u:3', { user: 'bob' }),
      ]);
      expect(await forgetSamples(store.db, ['ann', 's', "x'y"])).toBe(2);
      expect(await countSamples(store.db)).toHaveLength(1);
      await deleteSamples(store.db);
      expect(await countSamples(store.db)).toEqual([]);
    });
  });

  describe('pruneCandidates', () => {
    test('pruneCandidates keeps the newest, and all that are under way', async () => {
      for (let n = 0; n < 10; n += 1) {
        const state = n === 0 ? 'checking' : 'refused';
        await writeCandidate(store.db, { id: `p${n}`, at_ms: n, agent: 'a', state, row: { n } });
      }
      await pruneCandidates(store.db, 3);
      const left = (await readCandidates(store.db, 100)).map(({ id }) => id);
      expect(left).toEqual(['p9', 'p8', 'p7', 'p0']);
    });
  });
});
