import CircuitBreaker from 'opossum';
import type { Resilience } from '../../core/policy.ts';
import { RunWindow } from './run-window.ts';

export type BreakerPolicy = Resilience['breaker'];

export interface BreakerDeps {
  monotonic_ms(): number;
  onTurn(open: boolean): void;
}

/** What became of one attempt that the breaker let through. */
export interface Verdict {
  /** May be said more than once: a stream that began well may be cut later. */
  say(well: boolean): void;
  /** It says nothing of the target: the client left, or made the mistake. */
  nothing(): void;
}

/**
 * The breaker of one target. opossum holds the state. What opens it is counted here, because a
 * promise for each call costs more than all the rest; and when an open one is asked again, because
 * a wait that fits all outages does not exist: the waits grow with each probe that fails, so that a
 * dead target costs few calls, and where there are many calls it is asked after some of them, so
 * that a busy one is back soon.
 */
export class Breaker {
  readonly #deps: BreakerDeps;
  #policy: BreakerPolicy;
  #circuit: CircuitBreaker<[Promise<void>], void>;
  readonly #window = new RunWindow(WINDOW_MS);
  #in_a_row = 0;
  #well_ms = Number.NEGATIVE_INFINITY;
  #probes = 0;
  #probing = false;
  #probe_at_ms = 0;
  #asked_ms = 0;
  #passed_over = 0;
  #hiccup = false;
  #forced = FORCED_MAX;
  #forced_ms = 0;

  constructor(policy: BreakerPolicy, deps: BreakerDeps) {
    this.#policy = policy;
    this.#deps = deps;
    this.#circuit = this.#wire(createCircuit(policy));
  }

  /** A tuned threshold must not make a dead target look well: what was learned stays. */
  tune(policy: BreakerPolicy): void {
    if (policy === this.#policy) return;
    const same = SETTINGS.every((name) => policy[name] === this.#policy[name]);
    this.#policy = policy;
    if (same) return;
    const former = this.#circuit;
    this.#circuit = this.#wire(createCircuit(policy, former));
  }

  get state(): 'closed' | 'open' | 'half-open' {
    if (this.#circuit.closed) return 'closed';
    return this.#isDue() ? 'half-open' : 'open';
  }

  /** Whether a call may be let through: it is closed, or due for a probe and has none. */
  get ready(): boolean {
    return this.#circuit.closed || (this.#isDue() && !this.#probing);
  }

  /** How bad it looks among others that are open: by what failed since it last did well. */
  get failures(): number {
    return this.#in_a_row;
  }

  /** A call went elsewhere, because it is open. */
  passOver(): void {
    this.#passed_over += 1;
  }

  /** Lets an attempt through, or null. `force` asks an open one anyway, at a bounded rate. */
  enter(force: boolean): Verdict | null {
    if (this.#circuit.closed) return this.#pass();
    if (this.ready) return this.#probe();
    return force && this.#mayForce() ? this.#forcedThrough() : null;
  }

  close(): void {
    this.#circuit.shutdown();
  }

  #pass(): Verdict {
    this.#window.count('runs', this.#deps.monotonic_ms());
    return new Passed(this);
  }

  /** What an attempt that was let through came to; a stream that began well may be cut later. */
  judge(well: boolean, first: boolean): void {
    if (!well) {
      const now_ms = this.#deps.monotonic_ms();
      if (!first) this.#window.count('runs', now_ms);
      this.#window.count('failures', now_ms);
    }
    this.#learn(well);
    if (!well && this.#circuit.closed && this.#failsTooOften()) this.#circuit.open();
  }

  #failsTooOften(): boolean {
    const { runs, failures } = this.#window.sum(this.#deps.monotonic_ms());
    return runs >= this.#policy.calls_min && failures > runs * this.#policy.errors;
  }

  #probe(): Verdict {
    this.#probing = true;
    let said = false;
    return {
      say: (well) => {
        if (said) return this.#learn(well);
        said = true;
        this.#probing = false;
        this.#learn(well);
        if (well) this.#circuit.close();
        else this.#postpone();
      },
      // It may be asked again at once: nobody knows more than before.
      nothing: () => {
        if (!said) this.#probing = false;
        said = true;
      },
    };
  }

  #forcedThrough(): Verdict {
    return {
      say: (well) => {
        this.#learn(well);
        if (well) this.#circuit.close();
      },
      nothing: () => {},
    };
  }

  #learn(well: boolean): void {
    const now_ms = this.#deps.monotonic_ms();
    if (well) {
      this.#in_a_row = 0;
      this.#well_ms = now_ms;
      return;
    }
    this.#in_a_row += 1;
    if (!this.#circuit.closed) return;
    const { failures } = this.#policy;
    // Where it has not answered well for a while, one fewer is enough: quiet targets fail slowly.
    const enough = this.#wasWellLately() ? failures : Math.max(1, failures - 1);
    if (this.#in_a_row < enough) return;
    // What did well a moment ago may have had a hiccup only.
    this.#hiccup = this.#wasWellLately();
    this.#circuit.open();
    this.#hiccup = false;
  }

  #wasWellLately(): boolean {
    return this.#deps.monotonic_ms() - this.#well_ms < this.#policy.open_ms / 4;
  }

  #isDue(): boolean {
    const now_ms = this.#deps.monotonic_ms();
    if (now_ms >= this.#probe_at_ms) return true;
    const { open_ms } = this.#policy;
    const since_ms = now_ms - this.#asked_ms;
    if (this.#passed_over >= CALLS_A_PROBE) return since_ms >= open_ms / 10;
    const steady = this.#passed_over * STEADY_WITHIN * open_ms >= STEADY_CALLS * since_ms;
    return since_ms >= STEADY_AFTER * open_ms && this.#passed_over >= STEADY_CALLS && steady;
  }

  #postpone(): void {
    const now_ms = this.#deps.monotonic_ms();
    const wait = this.#hiccup ? HICCUP : WAITS[Math.min(this.#probes, WAITS.length - 1)];
    if (!this.#hiccup) this.#probes += 1;
    this.#asked_ms = now_ms;
    this.#passed_over = 0;
    this.#probe_at_ms = now_ms + (wait as number) * this.#policy.open_ms;
  }

  #mayForce(): boolean {
    const now_ms = this.#deps.monotonic_ms();
    const earned = (now_ms - this.#forced_ms) * FORCED_PER_MS;
    this.#forced = Math.min(FORCED_MAX, this.#forced + Math.max(0, earned));
    this.#forced_ms = now_ms;
    if (this.#forced < 1) return false;
    this.#forced -= 1;
    return true;
  }

  #wire(circuit: CircuitBreaker<[Promise<void>], void>): typeof circuit {
    circuit.on('open', () => {
      this.#probes = 0;
      this.#postpone();
      this.#deps.onTurn(true);
    });
    circuit.on('close', () => {
      this.#probes = 0;
      this.#deps.onTurn(false);
    });
    return circuit;
  }
}

const WINDOW_MS = 10_000;
/** opossum's own timer is not used: it knows one wait for all outages. */
const NEVER_MS = 2 ** 31 - 1;
/**
 * Waits before the first, second and every later probe, in `open_ms`. With the default an outage of
 * a minute costs a call every few seconds four attempts, and the fifth comes right after its end.
 */
const WAITS = [0.75, 1.5, 3.3];
const HICCUP = 0.1;
/** So many calls that went elsewhere are worth one probe before its time. */
const CALLS_A_PROBE = 10;
/**
 * Where a call comes each second, a probe each four seconds still is no more than a quarter of the
 * calls, and finds the target within five seconds of its recovery however long it was dead. Where
 * calls are rarer, both cannot be had: a probe is a call.
 */
const STEADY_AFTER = 0.4;
const STEADY_WITHIN = 0.5;
const STEADY_CALLS = 3;
/** Attempts at open targets of calls that have nobody else: at once, and in the long run. */
const FORCED_MAX = 5;
const FORCED_PER_MS = 2 / 1000;
const SETTINGS = ['errors', 'calls_min', 'failures', 'open_ms'] as const;

/** One attempt that the breaker let through while it was closed. */
class Passed implements Verdict {
  readonly #breaker: Breaker;
  #said = false;

  constructor(breaker: Breaker) {
    this.#breaker = breaker;
  }

  say(well: boolean): void {
    this.#breaker.judge(well, !this.#said);
    this.#said = true;
  }

  nothing(): void {
    this.#said = true;
  }
}

function createCircuit(
  policy: BreakerPolicy,
  former?: CircuitBreaker<[Promise<void>], void>,
): CircuitBreaker<[Promise<void>], void> {
  const past = former?.toJSON();
  former?.shutdown();
  return new CircuitBreaker<[Promise<void>], void>((work) => work, {
    timeout: false,
    errorThresholdPercentage: policy.errors * 100,
    volumeThreshold: policy.calls_min,
    resetTimeout: NEVER_MS,
    rollingCountTimeout: WINDOW_MS,
    rollingPercentilesEnabled: false,
    enableSnapshots: false,
    ...(past ? { state: past.state, status: past.status as unknown as CircuitBreaker.Status } : {}),
  });
}
