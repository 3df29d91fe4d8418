import type { Snapshot, Target } from '../config/snapshot.ts';
import type { TargetView } from '../core/plugin.ts';
import type { Resilience } from '../core/policy.ts';
import type { UpstreamFailure } from '../core/provider.ts';
import type { HookRun } from './hooks/hooks.ts';
import type { Standing } from './targets/live-target.ts';
import type { Targets } from './targets/targets.ts';
import { isWorthRepeating } from './upstream/failures.ts';

export interface Candidate {
  readonly target: Target;
  readonly view: TargetView;
  /** Nobody well is left: ask it although its breaker is open. */
  readonly force: boolean;
  /** Its limit is reached: there is a line to stand in. */
  readonly full: boolean;
  /** How it failed this call before, or null where it is new. */
  readonly before: UpstreamFailure | null;
}

/**
 * Whom to ask next, attempt by attempt, by how the ones before failed. The agent's own targets come
 * first, in the order that plugins chose, else the policy's; then its fallbacks; then those that
 * failed once more; last a `fallback_only`: an answer of the demo model is better than none, but
 * worse than a second try. A prompt that is too long goes to larger models and nowhere else, and
 * what no target can mend goes nowhere.
 */
export class Route {
  readonly #targets: Targets;
  readonly #policy: Resilience;
  readonly #run: HookRun;
  readonly #snapshot: Snapshot;
  readonly #own: readonly Known[];
  readonly #last: readonly Known[];
  /** What most calls never come to is made when it is wanted. */
  #anyMade: readonly Known[] | null = null;
  #asked: Map<Target, Asked> | null = null;
  #dropped: Set<Target> | null = null;
  #tries = 0;
  /** Nobody was well when the call came: one try is all it gets. */
  #forced = false;
  #mode: 'any' | 'larger' | 'over' = 'any';

  constructor(run: HookRun, snapshot: Snapshot, targets: Targets) {
    this.#targets = targets;
    this.#policy = snapshot.policy.resilience;
    this.#run = run;
    this.#snapshot = snapshot;
    const chosen = chosenTargets(run, snapshot);
    const pinned = run.call.pinned !== null;
    if (pinned || !chosen.some(isLast)) {
      this.#own = chosen;
      this.#last = NOBODY;
    } else {
      this.#own = chosen.filter((known) => !isLast(known));
      this.#last = chosen.filter(isLast);
    }
    for (const { target } of this.#own) {
      if (targets.standing(target, this.#policy) === 'open') targets.passOver(target, this.#policy);
    }
  }

  get #any(): readonly Known[] {
    this.#anyMade ??= this.#named(this.#run.plan.view.entry.fallbacks?.any);
    return this.#anyMade;
  }

  get #all(): readonly Known[] {
    return [...this.#own, ...this.#any, ...this.#last];
  }

  #named(names: readonly string[] | undefined): readonly Known[] {
    if (names === undefined || this.#run.call.pinned !== null) return NOBODY;
    return knownTargets(names, this.#run, this.#snapshot);
  }

  /** Attempts that were made. */
  get tries(): number {
    return this.#tries;
  }

  next(): Candidate | null {
    const { retries } = this.#policy.retry;
    if (this.#mode === 'over' || this.#tries > retries) return null;
    if (this.#mode === 'larger') {
      return this.#anew(this.#named(this.#run.plan.view.entry.fallbacks?.context_length));
    }
    if (this.#tries > 0 && this.#tries === retries) {
      const last = this.#anew(this.#last);
      if (last) return last;
    }
    return this.other() ?? this.#again() ?? this.#anew(this.#last) ?? this.#nobodyWell();
  }

  /** One that this call has not asked yet: also whom a hedge goes to. */
  other(): Candidate | null {
    return this.#anew(this.#own) ?? this.#anew(this.#any);
  }

  /** An attempt at it begins. */
  asked(target: Target): void {
    this.#tries += 1;
    this.#asked ??= new Map();
    const known = this.#asked.get(target);
    this.#asked.set(target, { times: (known?.times ?? 0) + 1, failure: known?.failure ?? null });
  }

  /** It was given up before it came to anything: should the other fail yet, it is asked again. */
  gaveUp(target: Target): void {
    if (this.#asked?.get(target)?.failure === null) this.#asked.delete(target);
  }

  /** It answered, and that is not the last word: who is asked now is asked for the first time. */
  answered(): void {
    this.#tries = 0;
  }

  failed(target: Target, failure: UpstreamFailure): void {
    this.#asked ??= new Map();
    const times = this.#asked.get(target)?.times ?? 1;
    this.#asked.set(target, { times, failure });
    if (failure.class === 'context_length') this.#mode = 'larger';
    else if (failure.class === 'content_filter' || !failure.retryable) this.#mode = 'over';
  }

  /** It cannot be asked now, or a plugin does not want it. */
  drop(target: Target): void {
    this.#dropped ??= new Set();
    this.#dropped.add(target);
  }

  /** Why nobody else could be asked; `limited_ms` until the first of them may be. */
  obstacle(): { readonly standings: readonly Standing[]; readonly limited_ms: number } {
    const all = this.#all.map(({ target }) => target).filter((one) => !this.#asked?.has(one));
    const standings = all.map((target) => this.#targets.standing(target, this.#policy));
    const waits = all.map((target) => this.#targets.limited_ms(target)).filter((ms) => ms > 0);
    return { standings, limited_ms: Math.min(...waits, Number.MAX_SAFE_INTEGER) };
  }

  #anew(group: readonly Known[]): Candidate | null {
    for (const known of group) {
      if (this.#isOut(known) || this.#asked?.has(known.target)) continue;
      const standing = this.#targets.standing(known.target, this.#policy);
      if (standing === 'ready') return candidate(known);
    }
    return null;
  }

  /**
   * One that failed, asked the fewest times: where all failed alike, the preferred one. Not where
   * the client itself asks again, or its retries and ours would multiply (decision 0016).
   */
  #again(): Candidate | null {
    if (this.#asked === null || this.#isRetried()) return null;
    let best: { readonly known: Known; readonly asked: Asked; readonly force: boolean } | null =
      null;
    const all = this.#all;
    for (const known of all) {
      const asked = this.#asked.get(known.target);
      if (!asked?.failure || this.#isOut(known) || !isWorthRepeating(asked.failure)) continue;
      const standing = this.#targets.standing(known.target, this.#policy);
      // Whose only target opened under its hands may ask again, as those may who come after.
      const force = standing === 'open' && all.length === 1 && !this.#forced;
      if (standing !== 'ready' && standing !== 'limited' && !force) continue;
      if (best === null || asked.times < best.asked.times) best = { known, asked, force };
    }
    return best && candidate(best.known, { before: best.asked.failure, force: best.force });
  }

  /**
   * A line to stand in, or the least bad of those that are open or set aside: somebody must be
   * asked.
   */
  #nobodyWell(): Candidate | null {
    const all = this.#all.filter((known) => !this.#isOut(known) && !this.#asked?.has(known.target));
    const standing = ({ target }: Known) => this.#targets.standing(target, this.#policy);
    const full = all.find((known) => standing(known) === 'full');
    if (full) return candidate(full, { full: true });
    if (this.#tries > 0) return null;
    const failures = ({ target }: Known) => this.#targets.failures(target, this.#policy);
    const [leastOpen] = all
      .filter((known) => standing(known) === 'open')
      .sort((left, right) => failures(left) - failures(right));
    // Whoever is limited can answer soon, which one that is set aside cannot.
    const limited = all.some((known) => standing(known) === 'limited');
    const aside = limited ? undefined : all.find((known) => standing(known) === 'aside');
    const least = leastOpen ?? aside;
    this.#forced = least !== undefined;
    return least ? candidate(least, { force: true }) : null;
  }

  /** Looked for where a call has failed, and nowhere else. */
  #isRetried(): boolean {
    return Number(this.#run.scope.header('x-stainless-retry-count')) > 0;
  }

  #isOut({ target }: Known): boolean {
    return this.#dropped?.has(target) ?? false;
  }
}

interface Known {
  readonly target: Target;
  readonly view: TargetView;
}

interface Asked {
  readonly times: number;
  readonly failure: UpstreamFailure | null;
}

const NOBODY: readonly Known[] = [];

function isLast({ target }: Known): boolean {
  return target.fallback_only;
}

function candidate({ target, view }: Known, more: Partial<Candidate> = {}): Candidate {
  const { force = false, full = false, before = null } = more;
  return { target, view, force, full, before };
}

function chosenTargets(run: HookRun, snapshot: Snapshot): readonly Known[] {
  const { plan, call, progress } = run;
  const names =
    call.pinned !== null
      ? [call.pinned]
      : (progress.patch.targets ?? policyOrder(plan.view.targets));
  return knownTargets(names, run, snapshot);
}

/** Present ones that serve the call's endpoint, each once. */
function knownTargets(
  names: readonly string[],
  { plan, call }: HookRun,
  snapshot: Snapshot,
): readonly Known[] {
  const all: Known[] = [];
  for (const name of names) {
    if (all.some(({ target }) => target.name === name)) continue;
    const target = snapshot.targets.get(name);
    if (!target?.provider.endpoints.includes(call.endpoint)) continue;
    const view = plan.view.targets.find((one) => one.name === name) ?? viewOf(target);
    all.push({ target, view });
  }
  return all;
}

/** Targets without weight are there for plugins to choose, or for when all others are down. */
function policyOrder(views: readonly TargetView[]): readonly string[] {
  const rank = (view: TargetView) => (view.fallback_only ? 2 : view.weight > 0 ? 0 : 1);
  return views.toSorted((left, right) => rank(left) - rank(right)).map((view) => view.name);
}

/** A target that is pinned though it is none of the agent's own. */
function viewOf({ name, fallback_only, provider }: Target): TargetView {
  return { name, weight: 0, fallback_only, adapters: provider.adapters };
}
