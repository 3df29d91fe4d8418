import { GatewayError } from '../../src/core/errors.ts';
import type { JournalRecord } from '../../src/core/event.ts';
import type { Bus } from '../../src/events/bus.ts';

/** A bus in memory: what was said to be durable, and a disk that can be made to refuse. */
export interface MemoryBus extends Bus {
  readonly records: JournalRecord[];
  /** The next `acknowledge`s reject with this code. */
  refuse(code: 'overloaded' | 'not_ready' | null): void;
  /** While true, acknowledgements wait for `sync`. */
  hold(held: boolean): void;
  sync(): void;
}

export function createMemoryBus(): MemoryBus {
  const records: JournalRecord[] = [];
  const waiting: (() => void)[] = [];
  let refusal: 'overloaded' | 'not_ready' | null = null;
  let held = false;
  return {
    records,
    refuse(code) {
      refusal = code;
    },
    hold(value) {
      held = value;
    },
    sync() {
      for (const resolve of waiting.splice(0)) resolve();
    },
    publish(record) {
      records.push(record);
      return true;
    },
    async acknowledge(all) {
      if (refusal) throw new GatewayError(refusal, 'The disk refuses.');
      if (held) await new Promise<void>((resolve) => waiting.push(resolve));
      records.push(...all);
    },
    async close() {},
  };
}
