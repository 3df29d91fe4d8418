import type { Snapshot } from '../config/snapshot.ts';
import type { Dialect } from '../core/call.ts';
import type { JsonObject } from '../core/canonical.ts';
import type { Clock } from '../core/clock.ts';
import { GatewayError, toGatewayError } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import { admit, type Caller, mayUse } from './access.ts';
import type { GatewayDeps } from './deps.ts';
import { MODELS_PATH } from './endpoints.ts';
import { visibleTargets } from './identify.ts';
import { headerOf } from './parse.ts';
import { type Exchange, respondError, respondWhole } from './respond.ts';
import type { Targets } from './targets/targets.ts';

type ModelsDeps = GatewayDeps & { readonly targets: Targets };

/**
 * `GET /v1/models` and `/v1/models/{id}`: the agents and targets that can answer now and that the
 * caller may use, as its dialect lists models.
 */
export function serveModels(exchange: Exchange, path: string, deps: ModelsDeps): void {
  const { request, dialect } = exchange;
  try {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      const message = `${path} takes GET and HEAD only.`;
      throw new GatewayError('method_not_allowed', message, { allow: 'GET, HEAD' });
    }
    const { snapshot } = deps.current;
    const caller = admit(snapshot.policy.access, (name) => headerOf(request, name));
    const names = modelNames(snapshot, deps.targets, caller);
    const id = idIn(path);
    const known = [...names, ...inFull(names, snapshot)];
    const query = new URL(request.url ?? '', 'http://gateway').searchParams;
    const made_s = createdAt(deps.clock);
    const body =
      id === '' ? listOf(names, dialect, made_s, query) : one(id, known, dialect, made_s);
    respondWhole(exchange, 200, Buffer.from(JSON.stringify(body)));
  } catch (thrown) {
    respondError(exchange, toGatewayError(thrown));
  }
}

function idIn(path: string): string {
  try {
    return decodeURIComponent(path.slice(MODELS_PATH.length + 1));
  } catch (cause) {
    throw new GatewayError('bad_request', 'The request path is malformed.', {}, cause);
  }
}

/** A policy's names have no date of their own: the data directory's stands for it. */
function createdAt({ origin }: Clock): number {
  return Math.floor(origin.origin_ms / 1000);
}

function one(
  id: string,
  names: readonly string[],
  dialect: Dialect,
  created_s: number,
): JsonObject {
  if (names.includes(id)) return modelOf(id, dialect, created_s);
  throw new GatewayError('model_not_found', `The model ${printable(id)} does not exist.`, {
    param: 'model',
  });
}

function listOf(
  names: readonly string[],
  dialect: Dialect,
  created_s: number,
  query: URLSearchParams,
): JsonObject {
  if (dialect === 'openai') {
    return { object: 'list', data: names.map((id) => modelOf(id, dialect, created_s)) };
  }
  const { page, has_more } = pageOf(names, query);
  return {
    data: page.map((id) => modelOf(id, dialect, created_s)),
    has_more,
    first_id: page[0] ?? null,
    last_id: page.at(-1) ?? null,
  };
}

const PAGE = 20;
const PAGE_MAX = 1000;

/** Anthropic's pages: `limit`, and `after_id` or `before_id`, the name that is next to the page. */
function pageOf(names: readonly string[], query: URLSearchParams) {
  const limit = Number(query.get('limit') ?? PAGE);
  if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_MAX) {
    const message = `limit must be a whole number from 1 to ${PAGE_MAX}.`;
    throw new GatewayError('bad_request', message, { param: 'limit' });
  }
  const before = query.get('before_id');
  if (before !== null) {
    const end = Math.max(0, names.indexOf(before));
    return { page: names.slice(Math.max(0, end - limit), end), has_more: end > limit };
  }
  const begin = names.indexOf(query.get('after_id') ?? '') + 1;
  return { page: names.slice(begin, begin + limit), has_more: begin + limit < names.length };
}

/** Targets that can be asked now: present, their engine up, their breaker not open. */
export function healthyTargets(snapshot: Snapshot, targets: Targets): ReadonlySet<string> {
  const { breaker } = snapshot.policy.resilience;
  const healthy = [...snapshot.targets.values()].filter((one) => targets.healthy(one, breaker));
  return new Set(healthy.map(({ name }) => name));
}

function modelNames(snapshot: Snapshot, targets: Targets, caller: Caller): readonly string[] {
  const healthy = healthyTargets(snapshot, targets);
  const agents = [...snapshot.agents.values()]
    .filter(({ name }) => mayUse(caller, name))
    .filter(({ view }) => view.targets.some(({ name }) => healthy.has(name)))
    .map(({ name }) => name);
  const named = visibleTargets(snapshot, caller).filter((name) => healthy.has(name));
  return [...new Set([...agents, ...named])];
}

/** The other name that a call may give a target: its provider and its model there. */
function inFull(names: readonly string[], snapshot: Snapshot): readonly string[] {
  return names.flatMap((name) => {
    const target = snapshot.targets.get(name);
    return target === undefined ? [] : [`${target.provider_name}/${target.model}`];
  });
}

function modelOf(id: string, dialect: Dialect, created_s: number): JsonObject {
  if (dialect === 'openai') {
    return { id, object: 'model', created: created_s, owned_by: 'liquid-hive' };
  }
  const created_at = new Date(created_s * 1000).toISOString();
  return { type: 'model', id, display_name: id, created_at };
}
