import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Store } from '../../../src/store/open.ts';
import {
  promptCandidates,
  promptSamples,
  proposalDays,
} from '../../../src/store/schema/proposals.ts';
import { openTestStore } from '../../kit/store.ts';

let store: Store;

beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());

test('the tables of proposals are as the migrations make them', async () => {
  for (const table of [promptSamples, promptCandidates, proposalDays]) {
    expect(await store.db.select().from(table)).toEqual([]);
  }
});
