import { expect, test } from 'vitest';
import { runPlays } from './plays.ts';

test('a gateway keeps nothing of calls, whatever clients, upstreams and operators do', async () => {
  await expect(runPlays({ seed: 11, count: 20, steps: 30 })).resolves.toBeUndefined();
}, 30_000);
