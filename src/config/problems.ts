import { isObject } from '../core/json-values.ts';
import type { CategoryEntry, NamedList, Policy } from '../core/policy.ts';
import { gatewaySchema } from './gateway-schema.ts';
import { oracleSchema } from './oracle-schema.ts';
import { schemaProblems } from './schema-problems.ts';
import { type Known, policyProblems } from './semantics.ts';

/**
 * Why a policy does not stand, by the rules of the files' loader: for a policy that rows were
 * folded into, whatever its shape. Empty where it does.
 */
export function problemsOf(policy: Policy, known: Known): readonly string[] {
  const shape = shapeProblems(policy);
  if (shape.length > 0) return shape;
  return policyProblems(policy, known).map(
    ({ tokens, message }) => `${tokens.join('.')}: ${message}`,
  );
}

function shapeProblems(policy: Policy): readonly string[] {
  const { prompts, oracle, pipeline, files, switches, plugins, access, ...others } = policy;
  const { categories, ...rest } = others;
  for (const part of [prompts, oracle, pipeline, files, switches, plugins, access]) {
    if (!isObject(part)) return ['policy: a part of it is missing'];
  }
  if (!Array.isArray(plugins.order) || !isObject(plugins.by)) return ['plugins: not {order, by}'];
  const order: readonly string[] = plugins.order;
  const named = Object.keys(plugins.by).sort().join();
  if ([...order].sort().join() !== named) return ['plugins: order and by differ'];
  const written = {
    ...rest,
    access: { ...access, keys: keysAsWritten(access.keys) },
    ...(categories === undefined ? {} : { categories: asWritten(categories) }),
    plugins: order.map((id) => ({ id, ...(plugins.by[id] as object) })),
  };
  return [
    ...schemaProblems(gatewaySchema, written).map(({ path, message }) => [path, message] as const),
    ...schemaProblems(oracleSchema, oracle).map(
      ({ path, message }) => [['oracle', ...path], message] as const,
    ),
  ].map(([path, message]) => `${path.join('.')}: ${message}`);
}

function asWritten({ order, by }: NamedList<CategoryEntry>): unknown {
  return order.map((name) => ({ name, ...by[name] }));
}

/** Keys as the file has them: a list, in which no agents means all. */
function keysAsWritten(keys: unknown): unknown {
  if (!isObject(keys)) return keys;
  return Object.entries(keys).map(([sha256, key]) => {
    if (!isObject(key)) return key;
    const { agents, ...entry } = key;
    return { ...entry, sha256, ...(agents === null ? {} : { agents }) };
  });
}
