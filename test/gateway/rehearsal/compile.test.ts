import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rehearsed } from './rehearsed.ts';

const EXAMPLES = 'policies/examples';

test.each(['policies', ...readdirSync(EXAMPLES).map((name) => join(EXAMPLES, name))])(
  'compileRehearsal of %s is one agent with one target that nobody can be asked at',
  (dir) => {
    const { agents, targets, experiments, ab, policy } = rehearsed(dir);

    expect([...agents.keys()]).toEqual(['default']);
    const [target, ...more] = [...targets.values()];
    expect(more).toEqual([]);
    expect(new URL(target?.provider.base_url ?? '').hostname).toMatch(/\.invalid$/);
    expect(agents.get('default')?.view.prompt?.content.ops).toHaveLength(1);
    expect([experiments.size, ab.size]).toEqual([0, 0]);
    expect(policy.access.mode).toBe('open');
    expect(policy.capture.bodies).toBeUndefined();
  },
);
