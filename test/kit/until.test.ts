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

  test('until counts no time in which it was itself kept from running', async () => {
    let met = false;
    const waiting = until(() => met, { what: 'a turn', deadline_ms: 200, every_ms: 5 });
    const stalled_ms = performance.now() + 400;
    while (performance.now() < stalled_ms);
    setTimeout(() => {
      met = true;
    }, 20);
    expect(await waiting).toBe(true);
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
