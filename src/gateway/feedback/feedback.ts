import { type Context, Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../core/clock.ts';
import { GatewayError, messageOf, toGatewayError } from '../../core/errors.ts';
import type { Matched } from '../../core/event.ts';
import type { Policy } from '../../core/policy.ts';
import { admit, type Caller, requireAgent } from '../access.ts';
import { ByteParts } from '../bytes/byte-parts.ts';
import { hashIdentity } from '../conversation/identity.ts';
import type { FeedbackHeader, Rater, StartedFeedback } from '../deps.ts';
import { errorHeaders, openAiError } from '../error-body.ts';
import { parseCollectBody, parseFeedbackBody } from './body.ts';
import { parseFeedbackHeader } from './header.ts';
import { acceptFeedback, type FeedbackKeeping, type SaidFeedback } from './keeping.ts';
import { idOf, nameOf } from './signals.ts';

export const FEEDBACK_BODY_BYTES_MAX = 64 * 1024;
/**
 * Answers remembered for clients that send one `idempotency-key` twice; the store remembers all.
 */
const ANSWERS_MAX = 10_000;
const ANSWER_KEPT_MS = 24 * 3_600_000;

export interface FeedbackDeps extends FeedbackKeeping {
  readonly clock: Clock;
  readonly secret: Uint8Array;
  /** The policy in force. */
  policy(): Policy;
}

export interface Feedback {
  readonly header: FeedbackHeader;
  /** `POST /feedback` and `POST /api/v1/feedback/collect`. */
  readonly app: Hono;
}

interface Answer {
  readonly feedback_id: string;
  readonly matched: Matched;
}

/**
 * Every door through which a person's word comes in. What is answered with 202 or `accepted` is on
 * the disk; what is refused left no trace.
 */
export function createFeedback(deps: FeedbackDeps): Feedback {
  return { header: { start: (value, who) => startHeader(deps, value, who) }, app: routes(deps) };
}

function startHeader(deps: FeedbackDeps, value: string, who: Rater): StartedFeedback {
  let settled: ReturnType<StartedFeedback['settled']> = 'pending';
  const refuse = (thrown: unknown): void => {
    const error = toGatewayError(thrown);
    deps.metrics.add('hive_feedback_refused_total', [error.code]);
    if (error.code === 'internal') deps.log.error('feedback header', { error: messageOf(thrown) });
    settled = { rejected: error.message };
  };
  try {
    assertSwitchedOn(deps);
    const { call, spoken } = parseFeedbackHeader(value);
    if (call === null && who.session === null) {
      throw new GatewayError('bad_request', 'neither call nor an x-session-id says what is rated');
    }
    const said: SaidFeedback = {
      who,
      named: { ...NAMELESS, call, session: call === null ? who.session : null },
      spoken,
      reported: {},
      channel: 'header',
      idempotency: null,
    };
    const done = acceptFeedback(deps, said).then(() => {
      settled = 'accepted';
    }, refuse);
    return { settled: () => settled, done };
  } catch (error) {
    refuse(error);
    return { settled: () => settled, done: Promise.resolve() };
  }
}

const NAMELESS = { call: null, completion_id: null, request_id: null, session: null, agent: null };

function routes(deps: FeedbackDeps): Hono {
  const app = new Hono();
  const answers = new LRUCache<
    string,
    { readonly at_ms: number; readonly answer: Promise<Answer> }
  >({ max: ANSWERS_MAX });

  const once = (said: SaidFeedback): Promise<Answer> => {
    const id = said.idempotency;
    const now_ms = deps.clock.policy_ms();
    const earlier = id === null ? undefined : answers.get(id);
    if (earlier && now_ms - earlier.at_ms < ANSWER_KEPT_MS) return earlier.answer;
    const answer = acceptFeedback(deps, said);
    if (id !== null) {
      answers.set(id, { at_ms: now_ms, answer });
      // What was refused was not taken: the client's next try must be heard.
      answer.catch(() => answers.delete(id));
    }
    return answer;
  };

  const handler = (channel: 'api' | 'seed') => async (context: Context) => {
    assertSwitchedOn(deps);
    const caller = admit(deps.policy().access, (name) => context.req.header(name));
    const said = saidBy(deps, caller, context, await readJson(context), channel);
    return context.json(await once(said), 202);
  };

  app.post('/feedback', handler('api'));
  app.post('/api/v1/feedback/collect', handler('seed'));
  app.onError((thrown, context) => {
    const error = toGatewayError(thrown);
    deps.metrics.add('hive_feedback_refused_total', [error.code]);
    if (error.code === 'internal') deps.log.error('feedback failed', { error: messageOf(thrown) });
    const status = error.status as ContentfulStatusCode;
    return context.json(openAiError(error), status, errorHeaders(error));
  });
  return app;
}

function assertSwitchedOn(deps: FeedbackDeps): void {
  if (deps.policy().switches.feedback_loop) return;
  throw new GatewayError('switched_off', 'Feedback is switched off (FEEDBACK_LOOP_ENABLED=false).');
}

/** A JSON type is asked for because no web page can send one across origins without a preflight. */
async function readJson(context: Context): Promise<unknown> {
  const type = context.req.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new GatewayError('unsupported_media_type', 'content-type must be application/json', {
      param: 'content-type',
    });
  }
  const text = await readText(context);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new GatewayError('invalid_json', `The body is not JSON: ${messageOf(error)}`);
  }
}

/**
 * Most bodies say how long they are, and Node holds them to it; others are counted as they come.
 * Hono's own limit cannot: it copies the request, which the adapter's is not made for.
 */
async function readText(context: Context): Promise<string> {
  const most = FEEDBACK_BODY_BYTES_MAX;
  const refuse = (): never => {
    throw new GatewayError('body_too_large', `The body is larger than ${most} bytes.`);
  };
  const { req } = context;
  const length = req.header('content-length');
  if (Number(length ?? 0) > most) refuse();
  if (length !== undefined && req.header('transfer-encoding') === undefined) return req.text();
  const parts = new ByteParts();
  for await (const part of req.raw.body ?? []) {
    if (parts.bytes + part.length > most) refuse();
    parts.push(part);
  }
  return Buffer.from(parts.join()).toString('utf8');
}

/** Ids become hashes here: nothing past this line knows what the client called its users. */
function saidBy(
  deps: FeedbackDeps,
  caller: Caller,
  context: Context,
  json: unknown,
  channel: 'api' | 'seed',
): SaidFeedback {
  const { tenant, key } = caller;
  const fields = { path: '', get: (name: string) => context.req.header(name) };
  const headers = {
    session: nameOf(fields, 'x-session-id'),
    agent: idOf(fields, 'x-agent-id'),
    user: nameOf(fields, 'x-user-id'),
  };
  const body =
    channel === 'api' ? parseFeedbackBody(json, headers) : parseCollectBody(json, headers);
  const hashed = (value: string | null): string | null =>
    value === null ? null : hashIdentity(deps.secret, tenant, value);
  const { call, completion_id, request_id, agent } = body.named;
  if (agent !== null) requireAgent(caller, agent);
  const session = hashed(body.named.session);
  if (call === null && completion_id === null && request_id === null) assertAgent(deps, agent);
  const idempotency = nameOf(fields, 'idempotency-key');
  return {
    who: { tenant, key, user: hashed(body.user), session, agent },
    named: { call, completion_id, request_id, session, agent },
    spoken: body.spoken,
    reported: body.reported,
    channel,
    idempotency: hashed(idempotency === null ? null : `${key}\0${idempotency}`),
  };
}

/** Where the agent is all that places the feedback, a misspelt one would be lost without a word. */
function assertAgent(deps: FeedbackDeps, agent: string | null): void {
  const known = deps.policy().agents;
  if (agent === null || Object.hasOwn(known, agent)) return;
  const names = Object.keys(known).join(', ');
  throw new GatewayError('unknown_agent', `Agent ${agent} is unknown. Known agents: ${names}.`, {
    param: 'agent_id',
  });
}
