import { describe, expect, test } from 'vitest';
import { createReadiness } from '../../../src/gateway/processes/readiness.ts';

describe('readiness', () => {
  test('settled waits for the engine and the worker, whichever comes first', async () => {
    const ready = createReadiness();
    let settled = false;
    const waiting = ready.settled(60_000).then(() => {
      settled = true;
    });
    ready.workerUp(8092);
    await Promise.resolve();
    expect(settled).toBe(false);
    ready.engineUp();
    await waiting;
    expect(ready.adminPort()).toBe(8092);
  });

  test('settled does not wait for ever', async () => {
    const ready = createReadiness();
    await ready.settled(1);
    expect(ready.adminPort()).toBeNull();
  });
});
