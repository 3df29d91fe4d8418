import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCurrent, type Lease } from '../../src/config/current.ts';
import type { Snapshot } from '../../src/config/snapshot.ts';

const named = (version: string) => ({ version }) as Snapshot;

describe('createCurrent', () => {
  test('a call keeps the snapshot that it leased while the next is in force', () => {
    const current = createCurrent(named('one'));
    const lease = current.lease();
    void current.swap(named('two'));
    expect(lease.snapshot.version).toBe('one');
    expect(current.snapshot.version).toBe('two');
    expect(current.lease().snapshot.version).toBe('two');
  });

  test('a swap resolves when the last call on the old snapshot has ended, not before', async () => {
    const current = createCurrent(named('one'));
    const [first, second] = [current.lease(), current.lease()];
    let drained = false;
    const swap = current.swap(named('two')).then(() => {
      drained = true;
    });
    first.release();
    first.release();
    await Promise.resolve();
    expect(drained).toBe(false);
    second.release();
    await swap;
    expect(drained).toBe(true);
  });

  test('a swap that nobody holds up resolves at once', async () => {
    await expect(createCurrent(named('one')).swap(named('two'))).resolves.toBeUndefined();
  });

  test('every swap resolves once all leases are released, in any order', async () => {
    const steps = fc.array(
      fc.oneof(fc.constant('swap' as const), fc.constant('lease' as const), fc.nat(9)),
    );
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const current = createCurrent(named('0'));
        const leases: Lease[] = [];
        const swaps: Promise<void>[] = [];
        for (const step of all) {
          if (step === 'swap') swaps.push(current.swap(named(String(swaps.length + 1))));
          else if (step === 'lease') leases.push(current.lease());
          else leases[step % Math.max(1, leases.length)]?.release();
        }
        for (const lease of leases) lease.release();
        await Promise.all(swaps);
        expect(current.snapshot.version).toBe(String(swaps.length));
      }),
    );
  });
});
