import { setTimeout as pause } from 'node:timers/promises';
import { mannersOf, nextStep, type Said, type Seen, saidOf } from './manners.ts';
import type { World } from './scenario.ts';
import type { Visit } from './traffic.ts';
import { GOOD, questionText } from './upstream.ts';

/** A gateway as a world's users meet it: a plain HTTP client with the headers of an application. */
export interface HttpPlace {
  /** Base URL of the gateway, without a slash at its end. */
  readonly url: string;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** A second of the world's latencies lasts 1 / latency_scale seconds. */
  readonly latency_scale: number;
  /** A second of policy time lasts 1 / time_scale seconds. */
  readonly time_scale: number;
  readonly signal: AbortSignal;
}

/** What became of a visit over HTTP. */
export interface HttpLived {
  readonly calls: number;
  readonly rated: boolean;
  readonly satisfied: boolean;
  readonly error: boolean;
  /** Of the world, as measured here. */
  readonly latency_ms: number;
  readonly arm: 'canary' | 'control' | null;
}

/** One visit against a running gateway: asks, tries again, and says what the user thinks. */
export async function visitOverHttp(
  world: World,
  visit: Visit,
  place: HttpPlace,
): Promise<HttpLived> {
  const population = world.scenario.users[visit.users];
  if (!population) throw new RangeError(`there are no users ${visit.users}`);
  const manners = mannersOf(visit);
  const headers = {
    'content-type': 'application/json',
    'x-agent-id': population.agent,
    'x-user-id': visit.user,
    'x-session-id': visit.session,
  };
  const seen: Seen[] = [];
  const asked: Asked[] = [];
  for (;;) {
    const luck = manners.attempts[seen.length];
    if (!population.calls || !luck) break;
    const { t_ms, category, mood } = visit;
    const text = questionText({ t_ms, category, mood, luck: luck.state() });
    const one = await ask(place, visit, population.agent, headers, text);
    asked.push(one);
    seen.push(one.seen);
    const step = nextStep(manners, population, seen);
    if (!step) break;
    await pause(step.after_ms / place.time_scale, undefined, { signal: place.signal });
  }
  const last = seen.at(-1) ?? { outcome: 'ok', good: false };
  const said = saidOf(manners, population, world.scenario.feedback, last);
  if (said) await say(place, headers, population.agent, visit, asked.at(-1)?.id ?? null, said);
  const arm = asked.at(-1)?.arm ?? null;
  return {
    calls: asked.length,
    rated: said !== null,
    satisfied: last.outcome === 'ok' && last.good,
    error: last.outcome === 'error',
    latency_ms: asked[0]?.latency_ms ?? 0,
    arm: arm?.endsWith('/canary') ? 'canary' : arm ? 'control' : null,
  };
}

interface Asked {
  readonly id: string | null;
  readonly arm: string | null;
  readonly seen: Seen;
  readonly latency_ms: number;
}

async function ask(
  place: HttpPlace,
  visit: Visit,
  agent: string,
  headers: Readonly<Record<string, string>>,
  text: string,
): Promise<Asked> {
  const begun_ms = performance.now();
  const patience = AbortSignal.timeout(
    Math.max(1, Math.ceil(visit.patience_ms / place.latency_scale)),
  );
  const passed_ms = (): number => (performance.now() - begun_ms) * place.latency_scale;
  try {
    const response = await place.fetch(`${place.url}/v1/chat/completions`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ model: agent, messages: [{ role: 'user', content: text }] }),
      signal: AbortSignal.any([patience, place.signal]),
    });
    const answer = await response.text();
    const good = response.ok && answer.includes(GOOD);
    return {
      id: response.headers.get('x-hive-call-id'),
      arm: response.headers.get('x-hive-arm'),
      seen: { outcome: response.ok ? 'ok' : 'error', good },
      latency_ms: passed_ms(),
    };
  } catch (thrown) {
    if (place.signal.aborted || !patience.aborted) throw thrown;
    const seen = { outcome: 'aborted' as const, good: false };
    return { id: null, arm: null, seen, latency_ms: passed_ms() };
  }
}

async function say(
  place: HttpPlace,
  headers: Readonly<Record<string, string>>,
  agent: string,
  visit: Visit,
  call: string | null,
  said: Said,
): Promise<void> {
  await pause(said.after_ms / place.time_scale, undefined, { signal: place.signal });
  const named = said.unnamed || call === null ? { session_id: visit.session } : { call_id: call };
  const value = { rating: said.value, helpful: said.value > 0, complaint: said.value > 0 };
  const signal = said.signal as keyof typeof value;
  const response = await place.fetch(`${place.url}/feedback`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ ...named, agent_id: agent, [signal]: value[signal] }),
    signal: place.signal,
  });
  await response.body?.cancel();
}
