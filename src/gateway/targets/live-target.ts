import type { Target } from '../../config/snapshot.ts';
import type { Metrics } from '../../core/metrics.ts';
import type { Resilience } from '../../core/policy.ts';
import {
  createFigures,
  type LiveFigures,
  observeAttempt,
  observeFirstByte,
} from '../../core/routing/live-figures.ts';
import type { TargetReport } from '../../core/state.ts';
import { type After, afterUnref } from '../clock/after.ts';
import { AdaptiveLimit, type Kind } from './adaptive-limit.ts';
import { Breaker, type BreakerPolicy, type Verdict } from './breaker.ts';
import { Cooling } from './cooling.ts';
import { Gate, type Waiting } from './gate.ts';
import { Headroom } from './headroom.ts';
import { figuresReport } from './target-report.ts';

/** `aside`: its provider did not know its model a moment ago, so that others are asked first. */
export type Standing = 'ready' | 'absent' | 'open' | 'limited' | 'full' | 'aside';

export interface Admission {
  /** Asks an open one anyway, at a bounded rate. */
  readonly force?: boolean;
  /** A place that was waited for. */
  readonly waited?: Waiting;
}

export interface Ticket {
  /** The target has begun to answer a request of this size (`sizeOf`), if its size is known. */
  answering(size?: number): void;
  /** Exactly once. `neutral` says nothing of the target: the client left, or made the mistake. */
  settle(result: 'ok' | 'failed' | 'neutral', size?: number): void;
  /** The target's time to the first byte, in units of its usual one; null where none is known. */
  slowness(): number | null;
}

export interface LiveDeps {
  readonly metrics: Metrics;
  monotonic_ms(): number;
  readonly after?: After;
}

/** An operator is told of the same trouble so often. */
const ALARM_MS = 60_000;
/** Others are asked first for so long: a new deployment is found soon, and few calls pay for it. */
const ASIDE_MS = 10_000;

/** One target as the gateway has come to know it: its breaker, its limits, its calls in hand. */
export class LiveTarget {
  readonly breaker: Breaker;
  readonly figures: LiveFigures = createFigures();
  readonly headroom = new Headroom();
  readonly #deps: LiveDeps;
  readonly #cooling = new Cooling();
  readonly #adaptive = new AdaptiveLimit();
  readonly #gate: Gate;
  readonly #account: TicketOwner;
  #in_flight = 0;
  #closed = false;
  #alarmed_ms = Number.NEGATIVE_INFINITY;
  /** 0 where it was never set aside. */
  #aside_until_ms = 0;

  constructor(name: string, policy: BreakerPolicy, deps: LiveDeps) {
    this.#deps = deps;
    this.#gate = new Gate(deps.after ?? afterUnref);
    this.breaker = new Breaker(policy, {
      monotonic_ms: () => deps.monotonic_ms(),
      onTurn: (open) => deps.metrics.set('hive_breaker_open', open ? 1 : 0, [name]),
    });
    this.#account = {
      breaker: this.breaker,
      monotonic_ms: () => deps.monotonic_ms(),
      observe: (kind, ms, size) => this.#observe(kind, ms, size),
      leave: () => this.#gate.leave(),
      settled: (result) => {
        this.#in_flight -= 1;
        if (result === 'neutral') return;
        observeAttempt(this.figures, result === 'ok', deps.monotonic_ms());
      },
    };
  }

  /** Forgotten: whoever comes for it is to look again. */
  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    this.#closed = true;
    this.breaker.close();
  }

  get in_flight(): number {
    return this.#in_flight;
  }

  get limited_ms(): number {
    return this.#cooling.begun ? this.#cooling.left_ms(this.#deps.monotonic_ms()) : 0;
  }

  standing(target: Target, overload: Resilience['overload']): Standing {
    if (this.limited_ms > 0) return 'limited';
    if (!this.breaker.ready) return 'open';
    if (this.#aside_until_ms > 0 && this.#isAside()) return 'aside';
    return this.#gate.isFull(this.#places(target, overload)) ? 'full' : 'ready';
  }

  admit(target: Target, overload: Resilience['overload'], admission: Admission): Ticket | null {
    const { force = false, waited } = admission;
    const full = waited === undefined && this.#gate.isFull(this.#places(target, overload));
    const verdict = full || this.limited_ms > 0 ? null : this.breaker.enter(force);
    const ticket = verdict && this.#open(target, verdict);
    waited?.leave();
    return ticket;
  }

  wait(target: Target, overload: Resilience['overload'], left_ms: number): Waiting | null {
    return this.#gate.wait({ ...overload, places: this.#places(target, overload) }, left_ms);
  }

  limit(retry_after_s: number | null, { backoff_ms }: Resilience['retry']): void {
    this.#cooling.limit(retry_after_s, backoff_ms, this.#deps.monotonic_ms());
  }

  setAside(): void {
    this.#aside_until_ms = this.#deps.monotonic_ms() + ASIDE_MS;
  }

  #isAside(): boolean {
    return this.#deps.monotonic_ms() < this.#aside_until_ms;
  }

  alarm(): boolean {
    const now_ms = this.#deps.monotonic_ms();
    if (now_ms - this.#alarmed_ms < ALARM_MS) return false;
    this.#alarmed_ms = now_ms;
    return true;
  }

  report(target: Target): TargetReport {
    return {
      breaker: this.breaker.state,
      in_flight: this.#in_flight,
      limited: this.limited_ms > 0,
      queue: this.#gate.waiting,
      limit: target.in_flight ?? this.#adaptive.limit,
      first_byte_ms: this.#adaptive.usual('stream') ?? this.#adaptive.usual('whole'),
      ...figuresReport(this, this.#deps.monotonic_ms()),
    };
  }

  /** A number of the policy bounds calls to their end, experience those without a first byte. */
  #places(target: Target, overload: Resilience['overload']): number {
    if (target.in_flight !== null) return target.in_flight;
    return overload.in_flight === 'adaptive' ? this.#adaptive.limit : Number.POSITIVE_INFINITY;
  }

  #observe(kind: Kind, ms: number, size: number): number | null {
    if (size >= 0) observeFirstByte(this.figures, kind === 'stream', size, ms);
    const usual = this.#adaptive.usual(kind);
    this.#adaptive.observe(kind, ms, this.#gate.taken, this.#deps.monotonic_ms());
    this.#cooling.answered();
    return usual === null ? null : ms / Math.max(usual, 0.001);
  }

  #open(target: Target, verdict: Verdict): Ticket {
    this.#gate.force();
    this.#in_flight += 1;
    return new HeldTicket(target, verdict, this.#deps.monotonic_ms(), this.#account);
  }
}

/** Of a request whose answer is no text: its time says nothing of those whose answer is. */
const NO_SIZE = -1;

/** Where a ticket's account is kept. */
interface TicketOwner {
  readonly breaker: Breaker;
  monotonic_ms(): number;
  /** Learns a time to the first byte; how many times the usual it was. */
  observe(kind: Kind, ms: number, size: number): number | null;
  leave(): void;
  settled(result: 'ok' | 'failed' | 'neutral'): void;
}

class HeldTicket implements Ticket {
  readonly #target: Target;
  readonly #verdict: Verdict;
  readonly #begun_ms: number;
  readonly #owner: TicketOwner;
  #open = true;
  #placed = true;
  #answered = false;
  #slowness: number | null = null;

  constructor(target: Target, verdict: Verdict, begun_ms: number, owner: TicketOwner) {
    this.#target = target;
    this.#verdict = verdict;
    this.#begun_ms = begun_ms;
    this.#owner = owner;
  }

  answering(size = NO_SIZE): void {
    if (!this.#open || this.#answered) return;
    this.#answer('stream', size);
    // The first byte is enough to close an open breaker.
    if (this.#owner.breaker.state !== 'closed') this.#verdict.say(true);
  }

  settle(result: 'ok' | 'failed' | 'neutral', size = NO_SIZE): void {
    if (!this.#open) return;
    this.#open = false;
    this.#owner.settled(result);
    if (result === 'ok') this.#answer('whole', size);
    this.#leave();
    if (result === 'neutral') this.#verdict.nothing();
    else this.#verdict.say(result === 'ok');
  }

  slowness(): number | null {
    return this.#slowness;
  }

  #answer(kind: Kind, size: number): void {
    if (this.#answered) return;
    this.#answered = true;
    this.#slowness = this.#owner.observe(kind, this.#owner.monotonic_ms() - this.#begun_ms, size);
    if (this.#target.in_flight === null) this.#leave();
  }

  #leave(): void {
    if (this.#placed) this.#owner.leave();
    this.#placed = false;
  }
}
