import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { REPO, startProduct } from '../test/kit/product.ts';
import { measureFirstToken } from './first-token.ts';
import { round, table } from './gates.ts';
import { findK6, K6_MISSING, type K6Result, runK6 } from './k6.ts';
import { startMock } from './mock.ts';
import { benchPolicies } from './policies.ts';

// The k6 scripts against the product: `npm run bench`, about a minute, on loopback. Exit 1 where
// a request got no right answer, 2 where k6 is missing. BENCH_SECONDS is the length of one run.

const CHAT_RATE = 300;
const STREAM_RATE = 100;
const FEEDBACK_RATE = 1000;
const MIXED_RATE = 150;
const FIRST_TOKENS = 200;

const seconds = Math.min(60, Math.max(1, Number(process.env.BENCH_SECONDS ?? 5) || 5));
const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  const k6 = findK6(process.env);
  if (k6 === null) {
    process.stderr.write(`${K6_MISSING}\n`);
    return 2;
  }
  const load_before = loadavg()[0] ?? 0;
  const { mock, url } = await startMock();
  const product = await startProduct({ policies: benchPolicies(url, { engine: false }) });
  try {
    const gateway = product.gateway_url;
    const run = (script: string, more: Record<string, string>): Promise<K6Result> =>
      runK6(k6, script, { URL: gateway, SECONDS: String(seconds), ...more });
    const chat = (more: Record<string, string>): Promise<K6Result> =>
      run('chat.js', { URL: `${gateway}/v1`, ...more });
    // A cold server's first second is nobody's latency.
    await chat({ RATE: '100', SECONDS: '3' });
    const runs: Readonly<Record<string, K6Result>> = {
      [`hot path, ${CHAT_RATE}/s`]: await chat({ RATE: String(CHAT_RATE) }),
      'hot path, 32 clients': await chat({}),
      [`streams, ${STREAM_RATE}/s`]: await chat({ RATE: String(STREAM_RATE), STREAM: 'true' }),
      [`feedback, ${FEEDBACK_RATE}/s`]: await run('feedback.js', { RATE: String(FEEDBACK_RATE) }),
      [`mixed, ${MIXED_RATE}/s whole`]: await run('mixed.js', { RATE: String(MIXED_RATE) }),
    };
    const first_token = {
      direct: await measureFirstToken(url, FIRST_TOKENS),
      gateway: await measureFirstToken(`${gateway}/v1`, FIRST_TOKENS),
    };
    keep({ load_before, runs, first_token });
    say(runsTable(runs));
    const { direct, gateway: through } = first_token;
    say(
      `  first token (fetch): direct p50 ${round(direct.p50_ms)} ms, through the gateway ` +
        `${round(through.p50_ms)} ms`,
    );
    return Object.values(runs).some(({ wrong }) => wrong > 0) ? 1 : 0;
  } finally {
    await product.stop();
    mock.kill();
  }
}

function runsTable(runs: Readonly<Record<string, K6Result>>): string {
  const head = ['k6', 'calls/s', 'p50 ms', 'p95 ms', 'p99 ms', 'not in time', 'wrong'];
  const rows = Object.entries(runs).map(([name, result]) => [
    name,
    round(result.calls_per_s),
    round(result.p50_ms),
    round(result.p95_ms),
    round(result.p99_ms),
    String(result.dropped),
    String(result.wrong),
  ]);
  return table([head, ...rows]);
}

function keep(report: object): void {
  const machine = {
    cpus: cpus().length,
    model: cpus()[0]?.model ?? '',
    node: process.version,
  };
  const dir = join(REPO, 'bench', 'results');
  mkdirSync(dir, { recursive: true });
  const text = JSON.stringify({ at: new Date().toISOString(), machine, ...report }, null, 2);
  writeFileSync(join(dir, 'bench.json'), `${text}\n`);
}

process.exitCode = await main();
