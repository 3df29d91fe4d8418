import { describe, expect, test } from 'vitest';
import { runLab } from '../../src/cli/lab-commands.ts';
import { labCommands } from '../../src/lab/index.ts';
import { memoryIo } from '../lab/lab-kit.ts';

async function lab(...args: readonly string[]) {
  const { io, out, err } = memoryIo({});
  const code = await runLab(args, io);
  return { code, out: out.join('\n'), err: err.join('\n') };
}

describe('hive lab', () => {
  test.each([[], ['--help'], ['help']])('hive lab %s lists every command', async (...args) => {
    const ran = await lab(...args);
    expect(ran.code).toBe(0);
    for (const name of Object.keys(labCommands)) expect(ran.out).toContain(`\n  ${name} `);
  });

  test('hive lab refuses an unknown command with exit code 2', async () => {
    const ran = await lab('constructor');
    expect(ran.code).toBe(2);
    expect(ran.err).toContain('unknown command of the lab "constructor"');
  });

  test('hive lab refuses a flag before the command', async () => {
    expect((await lab('--json')).err).toContain('flag before the command');
  });
});
