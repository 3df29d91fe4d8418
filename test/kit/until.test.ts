import { describe, expect, test } from 'vitest';
import { until } from './until.ts';

describe('until', () => {
  test('until returns the first truthy value of the condition', async () => {
    let asked = 0;
    const value = await until(() => (asked++ < 3 ? null : 'here'), {
      what: 'a value',
      every_ms: 1,
    });
    expect(value).toBe('here');
    expect(asked).toBe(4);
  });

  test('until fails at its deadline and names what it waited for and the last error', async () => {
    const waiting = until(
      () => {
        throw new Error('connection refused');
      },
      { what: 'the gateway', deadline_ms: 20, every_ms: 5 },
    );
    await expect(waiting).rejects.toThrow('20 ms in vain for the gateway: connection refused');
  });
});
