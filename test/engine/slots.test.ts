import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EngineError } from '../../src/engine/engine-error.ts';
import { createSlots } from '../../src/engine/slots.ts';

const never = new AbortController().signal;

function world(slots: number, waiting_max = 64, broken: readonly string[] = []) {
  const log: string[] = [];
  const made = createSlots({
    slots,
    waiting_max,
    async make(key) {
      if (broken.includes(key)) throw new EngineError(500, 'server_error', `no ${key}`);
      log.push(`+${key}`);
      return { key, dispose: async () => void log.push(`-${key}`) };
    },
  });
  return { slots: made, log };
}

/** A use that lasts until it is told to end. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { open: resolve, use: () => promise };
}

describe('slots', () => {
  test('slots make a key’s thing once and serve it again', async () => {
    const { slots, log } = world(2);
    expect(await slots.use('a', never, async (held) => held.key)).toBe('a');
    expect(await slots.use('a', never, async (held) => held.key)).toBe('a');
    expect(log).toEqual(['+a']);
  });

  test('slots say how busy they are', async () => {
    const { slots } = world(3);
    expect(slots.load()).toEqual({ busy: 0, idle: 0, free: 3, waiting: 0 });
    const first = gate();
    const use = slots.use('a', never, first.use);
    const next = slots.use('a', never, async () => {});
    await slots.use('b', never, async () => {});
    expect(slots.load()).toEqual({ busy: 1, idle: 1, free: 1, waiting: 1 });
    first.open();
    await Promise.all([use, next]);
    expect(slots.load()).toEqual({ busy: 0, idle: 2, free: 1, waiting: 0 });
  });

  test('slots serve one request of a key at a time, in order', async () => {
    const { slots } = world(2);
    const first = gate();
    const order: number[] = [];
    const uses = [
      slots.use('a', never, first.use),
      slots.use('a', never, async () => void order.push(2)),
      slots.use('a', never, async () => void order.push(3)),
    ];
    await slots.use('b', never, async () => void order.push(1));
    expect(order).toEqual([1]);
    first.open();
    await Promise.all(uses);
    expect(order).toEqual([1, 2, 3]);
  });

  test('slots let go of the least recently used idle thing only', async () => {
    const { slots, log } = world(2);
    const busy = gate();
    await slots.use('b', never, async () => {});
    const held = slots.use('a', never, busy.use);
    await slots.use('b', never, async () => {});
    await slots.use('c', never, async () => {});
    expect(log).toEqual(['+b', '+a', '-b', '+c']);
    expect(slots.size).toBe(2);
    busy.open();
    await held;
  });

  test('slots refuse with 429 what would wait behind too many', async () => {
    const { slots } = world(1, 2);
    const busy = gate();
    const uses = [0, 1, 2].map(() => slots.use('a', never, busy.use));
    await expect(slots.use('a', never, busy.use)).rejects.toMatchObject({ status: 429 });
    busy.open();
    await Promise.all(uses);
  });

  test('slots forget who hung up while waiting', async () => {
    const { slots } = world(1);
    const busy = gate();
    const gone = new AbortController();
    const held = slots.use('a', never, busy.use);
    const waiting = slots.use('b', gone.signal, async () => 'served');
    gone.abort(new Error('hung up'));
    await expect(waiting).rejects.toThrow('hung up');
    busy.open();
    await held;
    expect(await slots.use('a', never, async () => 'served')).toBe('served');
  });

  test('slots tell the maker’s error to who asked, and serve the others', async () => {
    const { slots } = world(1, 64, ['bad']);
    const answers = await Promise.allSettled([
      slots.use('bad', never, async () => 'served'),
      slots.use('a', never, async () => 'served'),
      slots.use('bad', never, async () => 'served'),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected']);
  });

  test('slots serve every request once, never two of a key at a time, never too many', async () => {
    const asked = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(asked, fc.integer({ min: 1, max: 3 }), async (keys, most) => {
        const { slots } = world(most);
        const busy = new Set<string>();
        const served = await Promise.all(
          keys.map((key) =>
            slots.use(key, never, async (held) => {
              expect(held.key).toBe(key);
              expect(busy.has(key)).toBe(false);
              busy.add(key);
              expect(busy.size).toBeLessThanOrEqual(most);
              await Promise.resolve();
              busy.delete(key);
              return key;
            }),
          ),
        );
        expect(served).toEqual(keys);
        expect(slots.size).toBeLessThanOrEqual(most);
      }),
    );
  });
});
