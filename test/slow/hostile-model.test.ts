import { expect, test } from 'vitest';
import { openTestStore } from '../kit/store.ts';
import { ATTACKS, expectNoneThrough } from '../oracle/proposals/hostile-model.ts';

test('a hostile model gets none of 500 payloads through, from rated calls to plans', async () => {
  const store = await openTestStore();
  expect(ATTACKS).toHaveLength(500);
  await expectNoneThrough(store, ATTACKS);
  await store.close();
}, 180_000);
