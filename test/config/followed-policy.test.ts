import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { followPolicy } from '../../src/config/followed-policy.ts';
import { silentLog } from '../../src/core/log.ts';
import { until } from '../kit/until.ts';
import { GATEWAY, inputOf, makeFolder, TONE, thrownBy } from './world.ts';

test('followed policy is what the files say, or last said where they do not load', async () => {
  const input = inputOf(makeFolder());
  const refused: unknown[] = [];
  const log = { ...silentLog, info: (_: string, fields?: object) => refused.push(fields) };
  const followed = followPolicy(input, log);
  onTestFinished(() => followed.close());
  const file = join(input.dir, 'gateway.yaml');
  const model = () => followed.loaded().policy.targets.big?.model;
  expect(model()).toBe('big-1');
  writeFileSync(file, GATEWAY.replace('big-1', 'big-2'));
  await until(() => model() === 'big-2', { what: 'the edit' });
  writeFileSync(file, GATEWAY.replace('big-1', 'big-3').replace('use: plain', 'use: plane'));
  await until(() => refused.length > 0, { what: 'the refusal' });
  expect(model()).toBe('big-2');
});

test('followed policy throws at the start where the files do not load', () => {
  const input = inputOf(makeFolder({ 'policies/gateway.yaml': 'version: 2\n' }));
  expect(thrownBy(() => followPolicy(input, silentLog)).code).toBe('policy_invalid');
});

test('followed policy warns of a version edited in place, and not of a new one', async () => {
  const input = inputOf(makeFolder());
  const warned: unknown[] = [];
  const warn = (_: string, fields?: object) => void warned.push(fields);
  const log = { ...silentLog, warn };
  const followed = followPolicy(input, log);
  onTestFinished(() => followed.close());
  const file = join(input.dir, 'prompts', 'tone.yaml');
  const edited = TONE.replace('Be brief.', 'Be short.').replace(
    'labels:',
    '  3: { ops: [{ op: system.append, text: Be exact. }] }\nlabels:',
  );
  writeFileSync(file, edited);
  await until(() => warned.length > 0, { what: 'the warning' });
  expect(warned).toEqual([{ version: 'tone@2' }]);
});
