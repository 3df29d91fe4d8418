import { parse } from 'yaml';
import { GatewayError, messageOf } from '../core/errors.ts';
import { isObject } from '../core/json-values.ts';
import {
  CONTEXTS,
  type Context,
  LEARNER_DEFAULTS,
  RULES,
  type Rule,
} from '../core/routing/learner.ts';

/** `policy.yaml` of `hive lab route`, read. */
export interface RoutePolicy {
  /** The models that may be chosen, in this order; null: those of the first row. */
  readonly models: readonly string[] | null;
  /** Utility of a row: quality × what the model got - cost_weight × USD. */
  readonly quality: number;
  readonly cost_weight: number;
  readonly strategy: RouteStrategy;
}

export type RouteStrategy =
  | { readonly use: 'uniform' }
  | { readonly use: 'fixed'; readonly model: string }
  | {
      readonly use: 'bandit';
      readonly rule: Rule;
      readonly context: Context;
      readonly explore: number;
      readonly floor: number;
      readonly discount: number;
    };

/** Names that a policy may write for a strategy without saying more. */
const SHORT: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  auto: {},
  bandit: {},
  contextual: { context: 'linear' },
  thompson: { context: 'pooled' },
  'top-two': { context: 'pooled', rule: 'top-two' },
  squarecb: { context: 'linear', rule: 'squarecb' },
  linucb: { context: 'linear', rule: 'ucb' },
  lints: { context: 'linear' },
  kinds: { context: 'kinds' },
  'epsilon-greedy': { context: 'pooled', rule: 'epsilon-greedy' },
};

/** Throws a GatewayError that names the key; unknown keys are typos. */
export function parseRoutePolicy(text: string): RoutePolicy {
  let data: unknown;
  try {
    data = parse(text);
  } catch (thrown) {
    throw wrong(messageOf(thrown).split('\n')[0] ?? 'no YAML');
  }
  const root = objectAt(data, 'the policy');
  const route = objectAt(root.route, 'route');
  known(route, ['models', 'objective', 'strategy'], 'route');
  const objective = objectAt(route.objective ?? {}, 'route.objective');
  known(objective, ['quality', 'cost_weight'], 'route.objective');
  return {
    models: modelsIn(route.models),
    quality: numberAt(objective, 'quality', 1, [0, 1e9]),
    cost_weight: numberAt(objective, 'cost_weight', 0, [0, 1e12]),
    strategy: strategyIn(route.strategy ?? 'auto'),
  };
}

function modelsIn(value: unknown): readonly string[] | null {
  if (value === undefined || value === null) return null;
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  const names = list.map((one) => (typeof one === 'number' ? String(one) : one));
  if (names.length === 0 || !names.every((name) => typeof name === 'string')) {
    throw wrong('route.models is a list of names');
  }
  if (new Set(names).size !== names.length) throw wrong('route.models names a model twice');
  return names as string[];
}

function strategyIn(value: unknown): RouteStrategy {
  const given = typeof value === 'string' ? { use: value } : objectAt(value, 'route.strategy');
  const use = given.use ?? 'auto';
  if (use === 'uniform') {
    known(given, ['use'], 'route.strategy');
    return { use };
  }
  if (use === 'fixed') {
    known(given, ['use', 'model'], 'route.strategy');
    if (typeof given.model === 'string') return { use, model: given.model };
    throw wrong('route.strategy.model is the name of the model');
  }
  const short = typeof use === 'string' && Object.hasOwn(SHORT, use) ? SHORT[use] : undefined;
  if (short === undefined) {
    const names = ['fixed', 'uniform', ...Object.keys(SHORT)].join(', ');
    throw wrong(`route.strategy ${JSON.stringify(use)} is none of ${names}`);
  }
  known(given, ['use', 'rule', 'context', 'explore', 'floor', 'discount'], 'route.strategy');
  const whole: Readonly<Record<string, unknown>> = { ...short, ...given };
  return {
    use: 'bandit',
    rule: oneOf(whole, 'rule', RULES, LEARNER_DEFAULTS.rule),
    context: oneOf(whole, 'context', CONTEXTS, LEARNER_DEFAULTS.context),
    explore: numberAt(whole, 'explore', LEARNER_DEFAULTS.explore, [0, 10]),
    floor: numberAt(whole, 'floor', LEARNER_DEFAULTS.floor, [0, 0.5]),
    discount: numberAt(whole, 'discount', LEARNER_DEFAULTS.discount, [0.9, 1]),
  };
}

function oneOf<Name extends string>(
  from: Readonly<Record<string, unknown>>,
  key: string,
  names: readonly Name[],
  otherwise: Name,
): Name {
  const value = from[key] ?? otherwise;
  const found = names.find((name) => name === value);
  if (found !== undefined) return found;
  throw wrong(`route.strategy.${key} is one of ${names.join(', ')}`);
}

function numberAt(
  from: Readonly<Record<string, unknown>>,
  key: string,
  otherwise: number,
  [least, most]: readonly [number, number],
): number {
  const value = from[key] ?? otherwise;
  if (typeof value === 'number' && value >= least && value <= most) return value;
  throw wrong(`${key} is a number from ${least} to ${most}`);
}

function objectAt(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (isObject(value)) return value;
  throw wrong(`${what} is no object`);
}

function known(
  given: Readonly<Record<string, unknown>>,
  keys: readonly string[],
  where: string,
): void {
  const odd = Object.keys(given).find((key) => !keys.includes(key));
  if (odd !== undefined) throw wrong(`${where} has no key ${odd}: ${keys.join(', ')}`);
}

const wrong = (message: string): GatewayError =>
  new GatewayError('bad_request', `the policy: ${message}`);
