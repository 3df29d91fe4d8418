import type { CallEvent, FeedbackEvent, JournalRecord } from '../../src/core/event.ts';

/** Traffic like a product's: three agents of two targets, three tenants, four categories. */
export interface SyntheticOptions {
  readonly seed: number;
  readonly from_ms: number;
  /** Policy milliseconds between two calls. */
  readonly every_ms: number;
  readonly units: number;
}

/** A call, and now and then what its user says of it; endless, the same for the same seed. */
export function* syntheticRecords(options: SyntheticOptions): Generator<JournalRecord> {
  const random = createRandom(options.seed);
  for (let n = 0; ; n += 1) {
    const call = syntheticCall(
      n,
      options.from_ms + Math.round(n * options.every_ms),
      options,
      random,
    );
    yield call;
    if (random() < 0.05) yield syntheticRating(call, random);
  }
}

/** Mulberry32: small, seeded, good enough for traffic. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

const AGENTS = ['support', 'coder', 'writer'];
const TENANTS = ['acme', 'globex', 'initech'];
const CATEGORIES = ['code', 'chat', 'math', 'other'];

function syntheticCall(
  n: number,
  at_ms: number,
  { units }: SyntheticOptions,
  random: () => number,
): CallEvent {
  const pick = (names: readonly string[]) =>
    names[Math.floor(random() ** 2 * names.length)] as string;
  const agent = pick(AGENTS);
  const target = pick([`${agent}-large`, `${agent}-small`]);
  // A few units make many calls, most make few.
  const user = hex(Math.floor(units * random() ** 3) + 1);
  const failed = random() < 0.02;
  const aborted = !failed && random() < 0.03;
  const latency_ms = Math.exp(6 + 0.6 * normal(random));
  const outcome = failed ? 'error' : aborted ? 'aborted' : 'ok';
  const tokensOut = Math.ceil(Math.exp(5 + 0.8 * normal(random)));
  const tokensIn = Math.ceil(Math.exp(6 + 0.9 * normal(random)));
  return {
    type: 'call',
    v: 1,
    id: `call_${idOf(at_ms, n)}`,
    // As with the gateway: a client's own where it sends one, else the call's.
    request_id: n % 5 === 0 ? idOf(at_ms, n) : `call_${idOf(at_ms, n)}`,
    completion_id: `chatcmpl-${hex(n * 7919 + 13)}`,
    at_ms,
    tenant: pick(TENANTS),
    key: 'key_1',
    agent,
    unit: `u:${user}`,
    user,
    session: null,
    parent: null,
    relation: null,
    version: 'f'.repeat(64),
    experiment: null,
    arm: null,
    share: null,
    decisions: [],
    intended: target,
    served: failed ? null : target,
    adapter: null,
    attempts: [
      {
        target,
        outcome,
        error: failed ? 'upstream_error' : null,
        ttft_ms: failed ? null : latency_ms / 4,
        ms: latency_ms,
      },
    ],
    ttft_ms: failed ? null : latency_ms / 4,
    latency_ms,
    tokens: { in: tokensIn, cached: 0, out: tokensOut, estimated: false },
    cost_usd: tokensIn * 1e-6 + tokensOut * 4e-6,
    outcome,
    arm_error: failed,
    finish: failed ? null : 'stop',
    category: pick(CATEGORIES),
    ...(random() < 0.02 ? { signals: { refusal: 'en' } } : {}),
    markers: [],
    origin: 'client',
  };
}

function syntheticRating(call: CallEvent, random: () => number): FeedbackEvent {
  return {
    type: 'feedback',
    v: 1,
    id: `fb_${call.request_id}.rating`,
    at_ms: call.at_ms + 5000,
    tenant: call.tenant,
    rater: call.unit,
    call: call.id,
    completion_id: null,
    request_id: null,
    session: null,
    agent: call.agent,
    key: call.key,
    matched: 'call',
    signal: 'rating',
    value: 1 + Math.floor(5 * random()),
    text: null,
    channel: 'api',
    idempotency: null,
  };
}

/** In the shape and the order of a UUIDv7. */
function idOf(at_ms: number, n: number): string {
  const time = at_ms.toString(16).padStart(12, '0');
  const tail = hex(n);
  const parts = [time.slice(0, 8), time.slice(8), `7${tail.slice(0, 3)}`, `8${tail.slice(3, 6)}`];
  return [...parts, tail.slice(4, 16)].join('-');
}

function hex(n: number): string {
  const scrambled = Math.imul(n + 1, 0x9e37_79b1) >>> 0;
  return scrambled.toString(16).padStart(8, '0') + n.toString(16).padStart(8, '0');
}

function normal(random: () => number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  return radius * Math.cos(2 * Math.PI * random());
}
