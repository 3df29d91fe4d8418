import { EngineError } from './engine-error.ts';

/** Something that costs memory to hold and is used by one request at a time: a model's context. */
export interface Disposable {
  dispose(): Promise<void>;
}

export interface SlotsOptions<Held extends Disposable> {
  /** Held at a time, at most; the least recently used idle one makes room. */
  readonly slots: number;
  /** Requests that may wait for one key. */
  readonly waiting_max: number;
  make(key: string): Promise<Held>;
}

/**
 * One held thing a key (an adapter's context), each serving one request at a time in order of
 * arrival. Among keys, too, the first that waits is the first that is given room, so a rare adapter
 * is not starved by a busy one.
 */
export interface Slots<Held extends Disposable> {
  /** Runs `use` with the key's held thing. Rejects with 429 where too many wait already. */
  use<Result>(
    key: string,
    signal: AbortSignal,
    use: (held: Held) => Promise<Result>,
  ): Promise<Result>;
  /** How many are held, for tests and `/health`. */
  readonly size: number;
  load(): SlotsLoad;
}

/** How busy they are now. */
export interface SlotsLoad {
  /** Held, and at work or being made. */
  readonly busy: number;
  /** Held for the next request with their key. */
  readonly idle: number;
  /** Not held: room for further keys. */
  readonly free: number;
  /** Requests that wait. */
  readonly waiting: number;
}

interface Slot<Held> {
  /** Null while it is being made. */
  readonly held: Held | null;
  readonly busy: boolean;
}

interface Waiter<Held> {
  readonly key: string;
  readonly resolve: (held: Held) => void;
  readonly reject: (reason: unknown) => void;
}

export function createSlots<Held extends Disposable>(options: SlotsOptions<Held>): Slots<Held> {
  return new LruSlots(options);
}

class LruSlots<Held extends Disposable> implements Slots<Held> {
  readonly #options: SlotsOptions<Held>;
  // A Map keeps its order of insertion: the first entry is the least recently used.
  readonly #slots = new Map<string, Slot<Held>>();
  readonly #waiting: Waiter<Held>[] = [];

  constructor(options: SlotsOptions<Held>) {
    this.#options = options;
  }

  get size(): number {
    return this.#slots.size;
  }

  load(): SlotsLoad {
    const held = [...this.#slots.values()];
    const busy = held.filter((slot) => slot.busy).length;
    return {
      busy,
      idle: held.length - busy,
      free: Math.max(0, this.#options.slots - held.length),
      waiting: this.#waiting.length,
    };
  }

  async use<Result>(
    key: string,
    signal: AbortSignal,
    use: (held: Held) => Promise<Result>,
  ): Promise<Result> {
    signal.throwIfAborted();
    const held = await this.#acquire(key, signal);
    try {
      return await use(held);
    } finally {
      this.#slots.set(key, { held, busy: false });
      this.#pump();
    }
  }

  #acquire(key: string, signal: AbortSignal): Promise<Held> {
    const { waiting_max } = this.#options;
    if (this.#waiting.filter((waiter) => waiter.key === key).length >= waiting_max) {
      const message = `${waiting_max} requests wait for this model already.`;
      throw new EngineError(429, 'rate_limit_error', message, { code: 'engine_busy' });
    }
    return new Promise((resolve, reject) => {
      const waiter = { key, resolve, reject };
      signal.addEventListener('abort', () => {
        if (!this.#waiting.includes(waiter)) return;
        this.#leaveQueue(waiter);
        reject(signal.reason);
        this.#pump();
      });
      this.#waiting.push(waiter);
      this.#pump();
    });
  }

  /** Serves whoever can be served now, the longest waiting first. */
  #pump(): void {
    for (const waiter of this.#waiting.slice()) {
      const slot = this.#slots.get(waiter.key);
      if (slot?.busy) continue;
      if (slot?.held) this.#serve(waiter, slot.held);
      else if (!this.#makeRoom(waiter)) return;
    }
  }

  #serve(waiter: Waiter<Held>, held: Held): void {
    this.#leaveQueue(waiter);
    this.#slots.delete(waiter.key);
    this.#slots.set(waiter.key, { held, busy: true });
    waiter.resolve(held);
  }

  #leaveQueue(waiter: Waiter<Held>): void {
    this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
  }

  /** False where every slot is in use: then nobody behind may take what comes free next. */
  #makeRoom(waiter: Waiter<Held>): boolean {
    let evicted: Held | null = null;
    if (this.#slots.size >= this.#options.slots) {
      const idle = [...this.#slots].find(([, slot]) => !slot.busy);
      if (!idle) return false;
      this.#slots.delete(idle[0]);
      evicted = idle[1].held;
    }
    this.#leaveQueue(waiter);
    this.#slots.set(waiter.key, { held: null, busy: true });
    void this.#fill(waiter, evicted);
    return true;
  }

  async #fill(waiter: Waiter<Held>, evicted: Held | null): Promise<void> {
    try {
      await evicted?.dispose();
      const held = await this.#options.make(waiter.key);
      this.#slots.set(waiter.key, { held, busy: true });
      waiter.resolve(held);
    } catch (thrown) {
      this.#slots.delete(waiter.key);
      waiter.reject(thrown);
      this.#pump();
    }
  }
}
