import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compileSnapshot } from '../../src/config/compile.ts';
import { readEnvironment } from '../../src/config/env.ts';
import { loadPolicy } from '../../src/config/load.ts';
import { EMPTY_CONTROL, EMPTY_STATE } from '../../src/core/state.ts';
import { plugins } from '../../src/plugins/index.ts';
import { providers } from '../../src/providers/index.ts';
import { hive } from '../cli/cli-kit.ts';
import { makeHosts } from './world.ts';

const EXAMPLES = join(import.meta.dirname, '../../policies/examples');

describe('the example policies', () => {
  test.each(readdirSync(EXAMPLES))('the example policy %s loads', async (name) => {
    const { code, out, err } = await hive(['check', '--policies', join(EXAMPLES, name)], {});
    expect({ code, out, err }).toMatchObject({ code: 0 });
  });

  test('load, and give each agent the version that their comments say', () => {
    const dir = join(import.meta.dirname, '../../policies/examples/prompts');
    const environment = readEnvironment({ OPENAI_API_KEY: 'a' });
    const loaded = loadPolicy({ dir, environment, providers, plugins });
    const host = makeHosts();
    const state = EMPTY_STATE;
    const given = { loaded, state, control: EMPTY_CONTROL, environment, plugins, providers, host };
    const { agents } = compileSnapshot(given);
    const versions = [...agents].map(([name, { view }]) => [name, view.prompt?.version ?? null]);
    expect(Object.fromEntries(versions)).toEqual({
      helpful_assistant: 1,
      preview: 2,
      pinned: 1,
      default: null,
    });
    expect(loaded.notices).toHaveLength(2);
  });
});
