import { readEnvironment } from '../../../src/config/env.ts';
import { loadPolicy } from '../../../src/config/load.ts';
import type { Snapshot } from '../../../src/config/snapshot.ts';
import { createClock } from '../../../src/core/clock.ts';
import { compileRehearsal } from '../../../src/gateway/rehearsal/compile.ts';
import { plugins } from '../../../src/plugins/index.ts';
import { providers } from '../../../src/providers/index.ts';

/** The policy that the product's own policies are rehearsed under. */
export function rehearsed(dir = 'policies'): Snapshot {
  const environment = readEnvironment({});
  const clock = createClock({ origin_ms: 0, scale: 1 });
  const loaded = loadPolicy({ dir, environment, providers, plugins });
  return compileRehearsal({ clock, plugins, providers }, loaded);
}
