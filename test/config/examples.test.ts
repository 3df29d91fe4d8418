import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hive } from '../cli/cli-kit.ts';

const EXAMPLES = join(import.meta.dirname, '../../policies/examples');

describe('example policies', () => {
  test.each(readdirSync(EXAMPLES))('the example policy %s loads', async (name) => {
    const { code, out, err } = await hive(['check', '--policies', join(EXAMPLES, name)], {});
    expect({ code, out, err }).toMatchObject({ code: 0 });
  });
});
