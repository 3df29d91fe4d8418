import type { Call, Decision } from '../../core/call.ts';
import type { AgentView, Drawn, Scope } from '../../core/plugin.ts';
import { pickAt, unitFraction } from '../../core/unit.ts';
import { addMarker, addNote, type Progress } from './progress.ts';

/** What of the world around it the plugins of a call may ask. */
export type Surroundings = Pick<
  Scope,
  'header' | 'healthy' | 'inFlight' | 'category' | 'figures' | 'price'
>;

/** What the plugins of one call may see and do: recorded in its progress, nothing else. */
export function createScope(
  call: Call,
  agent: AgentView,
  progress: Progress,
  around: Surroundings,
): Scope {
  return new CallScope(call, agent, progress, around);
}

/** A class and no object of functions: those would be made anew for each call. */
class CallScope implements Scope {
  readonly agent: AgentView;
  readonly #call: Call;
  readonly #progress: Progress;
  readonly #around: Surroundings;

  constructor(call: Call, agent: AgentView, progress: Progress, around: Surroundings) {
    this.agent = agent;
    this.#call = call;
    this.#progress = progress;
    this.#around = around;
  }

  header(name: string): string | null {
    return this.#around.header(name);
  }

  healthy(target: string): boolean {
    return this.#around.healthy(target);
  }

  inFlight(target: string): number {
    return this.#around.inFlight(target);
  }

  figures(target: string): ReturnType<Scope['figures']> {
    return this.#around.figures(target);
  }

  price(target: string): ReturnType<Scope['price']> {
    return this.#around.price(target);
  }

  category(): string {
    return this.#around.category();
  }

  choose(
    name: string,
    options: readonly string[],
    probabilities: readonly number[],
    excluded?: ReadonlySet<string>,
    drawn?: Drawn,
  ): string {
    const choice = { name, options, probabilities };
    const decision = decide(this.#call.unit, this.agent.name, choice, excluded, drawn);
    this.#progress.decisions.push(decision);
    return decision.chosen;
  }

  note(subject: string, reason: string): void {
    addNote(this.#progress, subject, reason);
  }

  mark(marker: string): void {
    addMarker(this.#progress, marker);
  }
}

/**
 * One choice by the unit's hash. A unit keeps its choice while that is healthy: only those whose
 * choice was excluded are drawn anew, which yields just the renormalised probabilities.
 */
export function decide(
  unit: string,
  agent: string,
  choice: Pick<Decision, 'name' | 'options' | 'probabilities'>,
  excluded: ReadonlySet<string> = NOBODY,
  drawn?: Drawn,
): Decision {
  const { name, options, probabilities } = choice;
  if (options.length === 0) throw new RangeError(`${name}: there is nothing to choose from`);
  if (options.length !== probabilities.length || !areProbabilities(probabilities)) {
    throw new RangeError(`${name}: each option needs a probability`);
  }
  const [only] = options;
  if (only !== undefined && options.length === 1) {
    // Nearly all choices are such, and one option needs no draw: that would be a hash.
    return { name, options, probabilities: [1], chosen: only, intended: only, forced: 'only' };
  }
  const salt = `${name}:${agent}:${drawn?.epoch ?? 0}`;
  const intended = optionAt(options, probabilities, unitFraction(salt, unit));
  const left = options.filter((option) => !excluded.has(option));
  // Where nobody is well, nobody is excluded: somebody must be asked.
  const open = left.length === 0 ? options : left;
  const weights = open.map((option) => probabilities[options.indexOf(option)] ?? 0);
  const chosen = open.includes(intended)
    ? intended
    : optionAt(open, weights, unitFraction(`${salt}:health`, unit));
  const forced = open.length < options.length ? 'health' : open.length === 1 ? 'only' : undefined;
  return {
    name,
    options: open,
    probabilities: normalised(weights),
    chosen,
    intended,
    ...(forced === undefined ? {} : { forced }),
    ...(drawn === undefined ? {} : { category: drawn.category }),
    ...(drawn?.features === undefined ? {} : { features: drawn.features }),
  };
}

function areProbabilities(numbers: readonly number[]): boolean {
  for (const number of numbers) if (!(number >= 0)) return false;
  return true;
}

const NOBODY: ReadonlySet<string> = new Set();

function optionAt(options: readonly string[], weights: readonly number[], u: number): string {
  return options[pickAt(u, weights)] as string;
}

function normalised(weights: readonly number[]): readonly number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => (total > 0 ? weight / total : 1 / weights.length));
}
