import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { POSTGRES_INSTALL, postgresBin, startPostgres } from '../test/kit/postgres.ts';
import { type Product, startProduct } from '../test/kit/product.ts';
import { type Gate, gatesTable, median, round, table } from './gates.ts';
import { findK6, K6_MISSING, type K6Result, runK6 } from './k6.ts';
import { idleMemory, type Memory, watchMemory } from './memory.ts';
import { startMock } from './mock.ts';
import { benchPolicies } from './policies.ts';

// A first baseline, not a test: `npm run bench:smoke`. All on loopback, about two minutes.
// `--postgres` also measures the memory with DATABASE_URL and no engine, on a server of its own.
// BENCH_SECONDS is the length of one run of k6.

const HERE = fileURLToPath(new URL('.', import.meta.url));
const ROUNDS = 3;
const CHAT_RATE = 300;
const FEEDBACK_RATE = 2000;
const SETTLE_MS = 10_000;
/** A load average above which others take so much of the machine that the numbers say little. */
const BUSY = 0.5;

const seconds = Math.min(60, Math.max(1, Number(process.env.BENCH_SECONDS ?? 5) || 5));
const say = (text: string): void => void process.stdout.write(`${text}\n`);

interface Added {
  readonly direct: K6Result;
  readonly gateway: K6Result;
  readonly added_p50_ms: number;
  readonly added_p95_ms: number;
}

async function main(): Promise<number> {
  const k6 = findK6(process.env);
  if (k6 === null) {
    process.stderr.write(`${K6_MISSING}\n`);
    return 2;
  }
  const { mock, url } = await startMock();
  const [load_before = 0] = loadavg();
  if (load_before > BUSY)
    say(`this machine is busy (load ${round(load_before)}): wait, or doubt it`);
  try {
    const memory = await measureProduct(k6, url);
    const postgres = process.argv.includes('--postgres') ? await measurePostgres(url) : null;
    const report = { load_before, ...memory, postgres, gates: gatesOf(memory, postgres) };
    keep(report);
    say(`\n${gatesTable(report.gates)}`);
    const wrong = memory.runs.reduce((sum, run) => sum + run.wrong, 0);
    if (wrong > 0) say(`\n${wrong} requests got no right answer: the numbers above mean nothing.`);
    return wrong > 0 ? 1 : 0;
  } finally {
    mock.kill();
  }
}

interface Measured {
  readonly whole: Added;
  readonly streamed: Added;
  readonly most: { readonly direct: K6Result; readonly gateway: K6Result };
  readonly feedback: K6Result;
  readonly memory: {
    readonly first_start_peak: Memory | null;
    readonly idle: Memory | null;
    readonly at_load: Memory | null;
  };
  readonly runs: readonly K6Result[];
}

async function measureProduct(k6: string, upstream: string): Promise<Measured> {
  say(`starting the product on a new data folder, upstream ${upstream}`);
  const starting = watchMemory();
  const product = await startProduct({ policies: benchPolicies(upstream, { engine: true }) });
  try {
    const idle = await idleMemory(SETTLE_MS);
    const first_start_peak = starting.stop();
    sayMemory('peak of the first start', first_start_peak);
    sayMemory('idle', idle);
    const chat = (url: string, more: Record<string, string>): Promise<K6Result> =>
      runK6(k6, 'chat.js', { URL: url, SECONDS: String(seconds), ...more });
    const gateway = `${product.gateway_url}/v1`;
    await chat(gateway, { RATE: '200', SECONDS: '3' });
    const whole = await added('whole', upstream, gateway, chat, {});
    const streamed = await added('streamed', upstream, gateway, chat, { STREAM: 'true' });
    const most = { direct: await chat(upstream, {}), gateway: await chat(gateway, {}) };
    say(
      `most calls a second, 32 clients: direct ${round(most.direct.calls_per_s)}, ` +
        `gateway ${round(most.gateway.calls_per_s)}`,
    );
    const { feedback, at_load } = await measureFeedback(k6, product);
    const runs = [whole.gateway, streamed.gateway, most.gateway, feedback];
    const memory = { first_start_peak, idle, at_load };
    return { whole, streamed, most, feedback, memory, runs };
  } finally {
    await product.stop();
  }
}

/** Direct and through the gateway by turns, so that a noisy minute strikes both. */
async function added(
  name: string,
  direct_url: string,
  gateway_url: string,
  chat: (url: string, more: Record<string, string>) => Promise<K6Result>,
  more: Record<string, string>,
): Promise<Added> {
  const rounds: { direct: K6Result; gateway: K6Result }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const asked = { ...more, RATE: String(CHAT_RATE) };
    rounds.push({ direct: await chat(direct_url, asked), gateway: await chat(gateway_url, asked) });
  }
  const last = rounds[ROUNDS - 1] as { direct: K6Result; gateway: K6Result };
  const wrong = rounds.reduce((sum, { gateway }) => sum + gateway.wrong, 0);
  const gateway = { ...last.gateway, wrong };
  const added_p50_ms = median(rounds.map((one) => one.gateway.p50_ms - one.direct.p50_ms));
  const added_p95_ms = median(rounds.map((one) => one.gateway.p95_ms - one.direct.p95_ms));
  say(
    `${name} at ${CHAT_RATE} calls/s: direct p50 ${round(last.direct.p50_ms)} ms, ` +
      `gateway adds p50 ${round(added_p50_ms)} ms, p95 ${round(added_p95_ms)} ms`,
  );
  return { direct: last.direct, gateway, added_p50_ms, added_p95_ms };
}

async function measureFeedback(
  k6: string,
  product: Product,
): Promise<{ feedback: K6Result; at_load: Memory | null }> {
  const env = { URL: product.gateway_url, RATE: String(FEEDBACK_RATE) };
  await runK6(k6, 'feedback.js', { ...env, SECONDS: '3' });
  const watch = watchMemory();
  const feedback = await runK6(k6, 'feedback.js', { ...env, SECONDS: String(seconds * 2) });
  const at_load = watch.stop();
  say(
    `feedback: ${round(feedback.calls_per_s)} events/s acknowledged, p50 ` +
      `${round(feedback.p50_ms)} ms, p95 ${round(feedback.p95_ms)} ms, ` +
      `${feedback.dropped} not sent in time, ${feedback.wrong} refused`,
  );
  sayMemory('at that load', at_load);
  return { feedback, at_load };
}

interface OnPostgres {
  readonly first_start_peak: Memory | null;
  readonly idle: Memory | null;
}

async function measurePostgres(upstream: string): Promise<OnPostgres | null> {
  if (postgresBin() === null) {
    say(POSTGRES_INSTALL);
    return null;
  }
  const server = await startPostgres();
  try {
    const starting = watchMemory();
    const product = await startProduct({
      policies: benchPolicies(upstream, { engine: false }),
      env: { DATABASE_URL: server.fresh() },
    });
    const idle = await idleMemory(SETTLE_MS);
    const first_start_peak = starting.stop();
    await product.stop();
    sayMemory('idle on Postgres without an engine', idle);
    return { first_start_peak, idle };
  } finally {
    await server.stop();
  }
}

function sayMemory(when: string, memory: Memory | null): void {
  if (memory === null) {
    say(`memory ${when}: not measured, it needs /proc`);
    return;
  }
  const parts = Object.entries(memory.by_mb).map(([name, mb]) => `${name} ${round(mb)}`);
  say(`memory ${when}: ${round(memory.all_mb)} MB (${parts.join(', ')})`);
}

function gatesOf({ feedback, memory }: Measured, postgres: OnPostgres | null): Gate[] {
  const mb = (name: string, limit: number, value: number | undefined): Gate => ({
    name,
    unit: 'MB',
    limit,
    value: value ?? null,
  });
  return [
    {
      name: `feedback at ${FEEDBACK_RATE}/s, p95`,
      unit: 'ms',
      limit: 50,
      value: feedback.p95_ms,
    },
    { name: 'feedback not sent in time', unit: 'events', limit: 0, value: feedback.dropped },
    mb('memory idle, first start', 600, memory.idle?.all_mb),
    mb('memory at the feedback load', 700, memory.at_load?.all_mb),
    mb('memory of the gateway alone at it', 200, memory.at_load?.gateway_mb),
    mb('memory on Postgres, no engine', 350, postgres?.idle?.all_mb),
  ];
}

function keep(report: object): void {
  const [first] = cpus();
  const machine = { cpus: cpus().length, model: first?.model ?? '', node: process.version };
  const file = join(HERE, 'results', 'smoke.json');
  mkdirSync(join(HERE, 'results'), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ at: new Date().toISOString(), machine, ...report })}\n`);
  say(`\n${table([['machine', `${machine.cpus} × ${machine.model}`, machine.node]])}`);
}

process.exitCode = await main();
