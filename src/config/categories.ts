import { createRequire } from 'node:module';
import type { Environment, ParseResult } from '@marcbachmann/cel-js';
import type { Call } from '../core/call.ts';
import { messageOf } from '../core/errors.ts';
import type { CategoryEntry, NamedList } from '../core/policy.ts';
import { CALL_FACTS, type CallFactName } from '../core/signals/call-facts.ts';

/** The category of calls that no rule holds for. */
export const OTHER_CATEGORY = 'other';
export const CATEGORIES_MAX = 32;

/** The policy's rules, compiled: which category a call is in. */
export interface Categories {
  /** Never throws: a rule that cannot be evaluated does not hold. */
  of(call: Call): string;
}

/** What is wrong with a rule, and at which character of it (from 0). */
export interface RuleProblem {
  readonly message: string;
  readonly at: number;
}

interface Rule {
  readonly name: string;
  readonly facts: readonly CallFactName[];
  holds(context: { readonly call: Readonly<Record<string, unknown>> }): unknown;
}

/** Compiles what `ruleProblem` passed; null without rules, so that calls then pay nothing. */
export function compileCategories(
  categories: NamedList<CategoryEntry> | undefined,
): Categories | null {
  if (categories === undefined || categories.order.length === 0) return null;
  const environment = celEnvironment();
  const rules = categories.order.map((name): Rule => {
    const parsed = environment.parse(categories.by[name]?.when ?? 'false');
    return { name, facts: factsIn(parsed.ast), holds: (context) => parsed(context) };
  });
  return {
    of(call) {
      const facts: Record<string, unknown> = {};
      const context = { call: facts };
      for (const rule of rules) if (holds(rule, call, facts, context)) return rule.name;
      return OTHER_CATEGORY;
    },
  };
}

/** One condition of a plugin. Throws a RangeError that says what is wrong with it. */
export function compileCondition(when: string): (call: Call) => boolean {
  const problem = ruleProblem(when);
  if (problem !== null) throw new RangeError(`${JSON.stringify(when)}: ${problem.message}`);
  const compiled = compileCategories({ order: [HELD], by: { [HELD]: { when } } }) as Categories;
  return (call) => compiled.of(call) === HELD;
}

const HELD = 'held';

/** A fact is computed when the first rule that names it runs. */
function holds(
  rule: Rule,
  call: Call,
  facts: Record<string, unknown>,
  context: { readonly call: Readonly<Record<string, unknown>> },
): boolean {
  for (const name of rule.facts) facts[name] ??= CALL_FACTS[name].of(call);
  try {
    return rule.holds(context) === true;
  } catch {
    return false;
  }
}

/** What keeps a rule from being one: its syntax, a fact that there is not, a type; or null. */
export function ruleProblem(when: string): RuleProblem | null {
  let parsed: ParseResult;
  try {
    parsed = celEnvironment().parse(when);
  } catch (thrown) {
    return problemOf(thrown);
  }
  const { valid, type, error } = parsed.check();
  if (!valid) return problemOf(error);
  if (type === 'bool') return null;
  return { message: `must be true or false, and is of type ${type}`, at: 0 };
}

function problemOf(thrown: unknown): RuleProblem {
  const { range, summary } = (thrown ?? {}) as {
    readonly range?: { readonly start: number };
    readonly summary?: string;
  };
  const [message = 'not CEL'] = (summary ?? messageOf(thrown)).split('\n', 1);
  const unknown = /^No such key: (\S+)/.exec(message)?.[1];
  const known = Object.keys(CALL_FACTS).join(', ');
  return {
    message: unknown === undefined ? message : `call has no ${unknown}; it has ${known}`,
    at: range?.start ?? 0,
  };
}

/** Loaded only where a policy has rules: nobody else waits for it at start. */
function celEnvironment(): Environment {
  const require = createRequire(import.meta.url);
  const cel = require('@marcbachmann/cel-js') as { readonly Environment: typeof Environment };
  const fields = Object.fromEntries(
    Object.entries(CALL_FACTS).map(([name, { type }]) => [name, type]),
  );
  return new cel.Environment({ unlistedVariablesAreDyn: false, limits: CEL_LIMITS })
    .registerType('Call', { fields })
    .registerVariable('call', 'Call');
}

const CEL_LIMITS = {
  maxAstNodes: 500,
  maxDepth: 50,
  maxListElements: 100,
  maxMapEntries: 0,
  maxCallArguments: 8,
};

/** The facts that an expression names, found in its tree. */
function factsIn(node: unknown): readonly CallFactName[] {
  const found = new Set<CallFactName>();
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const one of value) visit(one);
    if (value === null || typeof value !== 'object' || !('args' in value)) return;
    const { args } = value as { readonly args: unknown };
    if (Array.isArray(args)) {
      for (const arg of args) {
        if (typeof arg === 'string' && Object.hasOwn(CALL_FACTS, arg)) {
          found.add(arg as CallFactName);
        }
      }
    }
    visit(Array.isArray(args) ? args : [args]);
  };
  visit(node);
  return [...found];
}
