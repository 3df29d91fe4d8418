import type { Call, CallPatch } from '../core/call.ts';
import type {
  AgentView,
  Drawn,
  Plugin,
  PluginDefinition,
  PluginHost,
  Scope,
  TargetView,
} from '../core/plugin.ts';
import { createCascade } from '../core/routing/cascade.ts';
import { createContextualChoice } from '../core/routing/contextual-choice.ts';
import { expectedFirstByte, sizeOf } from '../core/routing/live-figures.ts';
import {
  isContextual,
  type ModelRouterOptions,
  RouterOptions,
} from '../core/routing/router-options.ts';
import {
  anyLimits,
  isCapable,
  needsOf,
  statedPrice,
  type TargetFacts,
  usualCost,
} from '../core/routing/target-facts.ts';

export const definition: PluginDefinition<ModelRouterOptions> = {
  name: 'model-router',
  summary:
    'Chooses the target of a call by weights, load, speed, price, rules or what was learned.',
  options: RouterOptions,
  metrics: ['hive_routes_total', 'hive_escalations_total'],
  create: createRouter,
};

/**
 * Gives each candidate its relative weight for a call; a choice without chance has a 1 and 0s. Only
 * healthy candidates are asked about, in the order of their names.
 */
type Strategy = (own: readonly TargetView[], call: Call, scope: Scope) => readonly number[];

interface Routing {
  readonly strategy: Strategy;
  /** Whose probabilities they are, where they are learned. */
  readonly drawn?: (scope: Scope) => Drawn;
  /** The order in which targets are asked, where it is not by their weights. */
  readonly orderFrom?: (
    chosen: string,
    others: readonly string[],
    scope: Scope,
  ) => readonly string[];
  readonly onAnswer?: Plugin['onAnswer'];
}

/** What is the same for all calls of an agent. */
interface Prepared {
  readonly own: readonly TargetView[];
  readonly names: readonly string[];
  readonly weights: readonly number[];
  /** By choice: it and those behind it. */
  readonly orders: ReadonlyMap<string, readonly string[]>;
}

function createRouter(options: ModelRouterOptions, host: PluginHost): Plugin {
  const routing = routingOf(options, host);
  const limits = anyLimits(options.facts);
  // A view lives as long as its snapshot; one of fewer targets (an endpoint) is another.
  const prepared = new WeakMap<AgentView, Prepared>();
  const prepare = (agent: AgentView): Prepared => {
    const known = prepared.get(agent);
    if (known) return known;
    const made = preparedFor(agent);
    prepared.set(agent, made);
    return made;
  };
  return {
    onRequest(call, scope) {
      if (call.pinned !== null) return { targets: [call.pinned] };
      const ready = prepare(scope.agent);
      if (ready.own.length === 0) return undefined;
      const capable = limits ? capableOf(ready, call, options.facts) : ready;
      const chosen = choose(capable, routing, call, scope);
      const order = ready.orders.get(chosen) ?? [chosen];
      return patchFor(ready, capable, routing?.orderFrom?.(chosen, order, scope) ?? order);
    },
    ...(routing?.onAnswer ? { onAnswer: routing.onAnswer } : {}),
  };
}

function preparedFor(agent: AgentView): Prepared {
  const own = ownTargets(agent.targets);
  const behind = [...agent.targets].sort(
    (left, right) =>
      Number(left.fallback_only) - Number(right.fallback_only) || right.weight - left.weight,
  );
  const orders = own.map(({ name }) => {
    const others = behind.filter((target) => target.name !== name).map((target) => target.name);
    return [name, Object.freeze([name, ...others])] as const;
  });
  return {
    own,
    names: own.map(({ name }) => name),
    weights: weightsOf(own),
    orders: new Map(orders),
  };
}

/** Fallbacks are no options while there is another target; where there is none, they are all. */
function ownTargets(targets: readonly TargetView[]): readonly TargetView[] {
  const own = targets.filter((target) => !target.fallback_only);
  return own.length > 0 ? own : targets;
}

/** Relative; even where no target has any weight. */
function weightsOf(own: readonly TargetView[]): readonly number[] {
  const weightless = own.every((target) => target.weight <= 0);
  return own.map((target) => (weightless ? 1 : target.weight));
}

/** Those that can do what the call needs; all where none can, for then the upstream says why. */
function capableOf(
  ready: Prepared,
  call: Call,
  facts: Readonly<Record<string, TargetFacts>>,
): Prepared {
  const needs = needsOf(call);
  const own = ready.own.filter(({ name }) => isCapable(facts[name], needs));
  if (own.length === 0 || own.length === ready.own.length) return ready;
  return { ...ready, own, names: own.map(({ name }) => name), weights: weightsOf(own) };
}

function choose(
  { own, names, weights }: Prepared,
  routing: Routing | null,
  call: Call,
  scope: Scope,
): string {
  const down = names.filter((name) => !scope.healthy(name));
  let excluded = down.length > 0 ? new Set(down) : undefined;
  // With none healthy the choice is made as if all were: dispatch probes it, or falls back.
  if (excluded?.size === names.length) excluded = undefined;
  if (routing === null) return scope.choose('model-router', names, weights, excluded);
  const healthy = excluded ? own.filter(({ name }) => !excluded?.has(name)) : own;
  const given = routing.strategy(healthy, call, scope);
  const drawn = routing.drawn?.(scope);
  if (!excluded) return scope.choose('model-router', names, given, undefined, drawn);
  const spread = names.map((name) => {
    const at = healthy.findIndex((target) => target.name === name);
    return at < 0 ? 0 : (given[at] as number);
  });
  return scope.choose('model-router', names, spread, excluded, drawn);
}

/** Whoever cannot do what is needed stands last. */
function patchFor(ready: Prepared, capable: Prepared, order: readonly string[]): CallPatch {
  if (capable === ready) return { targets: order };
  const unable = new Set(ready.names.filter((name) => !capable.names.includes(name)));
  const able = order.filter((name) => !unable.has(name));
  return { targets: [...able, ...order.filter((name) => unable.has(name))] };
}

/** Null for the weights alone, which cost no more than a draw. */
function routingOf(options: ModelRouterOptions, host: PluginHost): Routing | null {
  const { strategy, facts, quality_min } = options;
  if (strategy === 'weighted') return null;
  if (strategy === 'fixed') return { strategy: (own) => only(own, options.target as string) };
  if (strategy === 'round-robin') return { strategy: inTurn(host) };
  if (strategy === 'fastest') return fastest(options, host);
  if (strategy === 'bandit') return learned(options, host);
  if (isContextual(strategy)) return contextual(strategy, options, host);
  if (strategy === 'rules') return { strategy: byRules(options, host) };
  if (strategy === 'cheapest') return { strategy: cheapest(facts, quality_min) };
  if (strategy === 'cascade') return cascading(options);
  return {
    strategy: (own, _call, scope) =>
      atLeast(own, ({ name, weight }) => (scope.inFlight(name) + 1) / Math.max(weight, 1e-6)),
  };
}

/** All on one target; by weights where it is none of the healthy ones. */
function only(own: readonly TargetView[], target: string): readonly number[] {
  const found = own.some(({ name }) => name === target);
  return found ? own.map(({ name }) => Number(name === target)) : weightsOf(own);
}

/** Even among those of which the value is the least. */
function atLeast(
  own: readonly TargetView[],
  worthOf: (target: TargetView) => number,
): readonly number[] {
  const values = own.map(worthOf);
  const least = Math.min(...values);
  return values.map((value) => Number(value === least));
}

function inTurn(host: PluginHost): Strategy {
  const turn = host.keep('turn', () => ({ next: 0 }));
  return (own) => {
    const at = turn.next % own.length;
    turn.next = (turn.next + 1) % 0x7fff_ffff;
    return own.map((_, index) => Number(index === at));
  };
}

/**
 * The cheapest of those that are good enough; the best where none is. What this call would cost
 * each: its tokens by the price of its target, else of `facts`, and as many of an answer as that
 * target's answers usually have.
 */
function cheapest(facts: Readonly<Record<string, TargetFacts>>, quality_min: number): Strategy {
  const qualityOf = (name: string): number => facts[name]?.quality ?? 0;
  const stated = new Map(Object.entries(facts).map(([name, one]) => [name, statedPrice(one)]));
  return (own, call, scope) => {
    const good = own.some(({ name }) => qualityOf(name) >= quality_min);
    if (!good) return atLeast(own, ({ name }) => -qualityOf(name));
    return atLeast(own, ({ name }) => {
      if (qualityOf(name) < quality_min) return 1e15;
      const price = scope.price(name) ?? stated.get(name) ?? null;
      return price === null ? 1e12 : usualCost(price, call, scope.figures(name));
    });
  };
}

function cascading({ cascade, facts }: ModelRouterOptions): Routing {
  const made = createCascade(cascade, facts);
  return {
    strategy: (own, _call, scope) => made.weigh(own, scope),
    orderFrom: (chosen, others, scope) => made.orderFrom(chosen, others, scope),
    onAnswer: (call, answer, scope) => made.onAnswer(call, answer, scope),
  };
}

function byRules(options: ModelRouterOptions, host: PluginHost): Strategy {
  const rules = options.rules.map(({ when, target }) => ({ holds: host.condition(when), target }));
  return (own, call) => {
    const rule = rules.find(({ holds }) => holds(call));
    return rule === undefined ? weightsOf(own) : only(own, rule.target);
  };
}

/** The table that the worker published; the weights until there is one, or of targets it lacks. */
function learned({ bandit }: ModelRouterOptions, host: PluginHost): Routing {
  return {
    strategy(own, _call, scope) {
      const table = host.routes(host.agent)?.table;
      if (table === undefined) return weightsOf(own);
      const shares = table.by[scope.category()] ?? table.by[''];
      const given = own.map(({ name }) => shares?.[table.targets.indexOf(name)] ?? 0);
      return given.some((share) => share > 0) ? given : weightsOf(own);
    },
    drawn: (scope) => ({
      epoch: bandit.sticky ? 0 : (host.routes(host.agent)?.epoch ?? 0),
      category: scope.category(),
    }),
  };
}

/** By the call's features and the model that the worker published; the weights until then. */
function contextual(
  rule: 'linucb' | 'squarecb',
  { bandit }: ModelRouterOptions,
  host: PluginHost,
): Routing {
  const choice = createContextualChoice({ ...bandit, rule, explore: bandit.bound }, bandit.sticky);
  return {
    strategy(own, call, scope) {
      const published = host.routes(host.agent);
      const targets = own.map(({ name }) => name);
      const asked = { call, category: scope.category(), targets, published };
      return choice.probabilities(asked) ?? weightsOf(own);
    },
    drawn: (scope) => ({
      epoch: bandit.sticky ? 0 : (host.routes(host.agent)?.epoch ?? 0),
      category: scope.category(),
      features: choice.features(),
    }),
  };
}

/** Who was never asked is asked; with a size that is new to a target all sizes tell of it. */
function fastest({ explore }: ModelRouterOptions, host: PluginHost): Routing {
  return {
    strategy(own, call, scope) {
      if (own.length === 1) return [1];
      const size = sizeOf(call.raw.length);
      const now_ms = host.monotonic_ms();
      const first = atLeast(own, ({ name }) => {
        const figures = scope.figures(name);
        return (figures && expectedFirstByte(figures, call.stream, size, now_ms)) ?? 0;
      });
      const ties = first.reduce((sum, one) => sum + one, 0);
      const other = explore / own.length;
      return first.map((one) => other + ((1 - explore) * one) / ties);
    },
  };
}
