import type { Snapshot } from '../config/snapshot.ts';
import type { JsonObject } from '../core/canonical.ts';
import { GatewayError } from '../core/errors.ts';
import { printable } from './parse.ts';
import type { Targets } from './targets.ts';

/** `GET /v1/models`: the agents and targets that can answer now, as OpenAI lists models. */
export function listModels(snapshot: Snapshot, targets: Targets, created_s: number): JsonObject {
  const data = modelNames(snapshot, targets).map((id) => modelOf(id, created_s));
  return { object: 'list', data };
}

/** `GET /v1/models/{id}`. Throws `model_not_found` for one that cannot answer now. */
export function findModel(
  id: string,
  snapshot: Snapshot,
  targets: Targets,
  created_s: number,
): JsonObject {
  if (modelNames(snapshot, targets).includes(id)) return modelOf(id, created_s);
  throw new GatewayError('model_not_found', `The model ${printable(id)} does not exist.`, {
    param: 'model',
  });
}

/** Targets that can be asked now: present, their engine up, their breaker not open. */
export function healthyTargets(snapshot: Snapshot, targets: Targets): ReadonlySet<string> {
  const { breaker } = snapshot.policy.resilience;
  const healthy = [...snapshot.targets.values()].filter((one) => targets.healthy(one, breaker));
  return new Set(healthy.map(({ name }) => name));
}

function modelNames(snapshot: Snapshot, targets: Targets): readonly string[] {
  const healthy = healthyTargets(snapshot, targets);
  const agents = [...snapshot.agents.values()]
    .filter(({ view }) => view.targets.some(({ name }) => healthy.has(name)))
    .map(({ name }) => name);
  return [...new Set([...agents, ...healthy])];
}

function modelOf(id: string, created: number): JsonObject {
  return { id, object: 'model', created, owned_by: 'liquid-hive' };
}
