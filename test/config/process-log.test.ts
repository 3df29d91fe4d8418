import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { readLogLevel } from '../../src/config/process-log.ts';

const MODULE = new URL('../../src/config/process-log.ts', import.meta.url).href;

function linesAt(level: string): readonly { msg: string; process: string; n?: number }[] {
  const program = `
    import { createProcessLog } from ${JSON.stringify(MODULE)};
    const log = createProcessLog('worker', ${JSON.stringify(level)});
    log.info('an info', { n: 1 });
    log.warn('a warning', { n: 2 });
    log.error('an error');
    process.exit(0);`;
  const shell = `"$0" --input-type=module-typescript -e "$1" 2>&1 1>/dev/null`;
  const out = execFileSync('sh', ['-c', shell, process.execPath, program], { encoding: 'utf8' });
  return out
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

describe('the process log', () => {
  test('a log writes one JSON object a line, at once, of its level and above', () => {
    expect(linesAt('warn').map(({ msg }) => msg)).toEqual(['a warning', 'an error']);
    expect(linesAt('info')[0]).toMatchObject({ msg: 'an info', process: 'worker', n: 1 });
    expect(linesAt('silent')).toEqual([]);
  });

  test('HIVE_LOG_LEVEL is warn where it is unset, and a bad one is refused by name', () => {
    expect(readLogLevel(undefined)).toBe('warn');
    expect(readLogLevel('')).toBe('warn');
    expect(readLogLevel('error')).toBe('error');
    expect(() => readLogLevel('loud')).toThrow('HIVE_LOG_LEVEL=loud is not valid');
  });
});
