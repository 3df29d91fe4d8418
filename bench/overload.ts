import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, type Dispatcher } from 'undici';
import { startProduct } from '../test/kit/product.ts';
import { benchPolicies } from './policies.ts';

// What is left of the goodput when three times as many calls come as the upstream can answer:
// `node bench/overload.ts`, about three minutes. The upstream answers SLOTS calls at a time,
// in SERVICE_MS each, and lets the rest wait; an answer is good if it comes within GOOD_MS.

const SLOTS = 20;
const SERVICE_MS = 100;
const GOOD_MS = 1500;
const CAPACITY = (SLOTS * 1000) / SERVICE_MS;
const seconds = Math.min(60, Math.max(4, Number(process.env.BENCH_SECONDS ?? 20) || 20));
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const ANSWER = JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 1_700_000_000,
  model: 'mock-1',
  choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
});

/** An upstream with so many slots and an endless line, as most model servers have. */
async function startNarrow(): Promise<{ readonly server: Server; readonly url: string }> {
  const line: (() => void)[] = [];
  let busy = 0;
  const serve = (): void => {
    const next = busy < SLOTS ? line.shift() : undefined;
    if (!next) return;
    busy += 1;
    next();
    setTimeout(() => {
      busy -= 1;
      serve();
    }, SERVICE_MS);
  };
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    request.resume();
    const answer = (): void => {
      setTimeout(() => {
        response.setHeader('content-type', 'application/json');
        response.end(ANSWER);
      }, SERVICE_MS);
    };
    request.on('end', () => {
      line.push(answer);
      serve();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { server, url: `http://127.0.0.1:${port}/v1` };
}

interface Load {
  /** Good answers a second, over the second half of the run. */
  readonly goodput: number;
  readonly p99_ms: number;
  readonly refused: number;
  readonly late: number;
}

const BODY = JSON.stringify({ model: 'default', messages: [{ role: 'user', content: 'hi' }] });

/** Calls at a fixed rate, whether the ones before have been answered or not. */
async function offer(url: string, rate: number): Promise<Load> {
  const agent = new Agent({ connections: 2000, pipelining: 1 });
  const half_ms = performance.now() + seconds * 500;
  const end_ms = half_ms + seconds * 500;
  const times: number[] = [];
  let [good, refused, late] = [0, 0, 0];
  const one = async (): Promise<void> => {
    const begun_ms = performance.now();
    const status = await ask(agent, url).catch(() => 0);
    const ended_ms = performance.now();
    if (begun_ms < half_ms) return;
    if (status !== 200) refused += 1;
    else if (ended_ms - begun_ms > GOOD_MS) late += 1;
    else good += 1;
    if (status === 200) times.push(ended_ms - begun_ms);
  };
  const open = new Set<Promise<void>>();
  const begun_ms = performance.now();
  for (let sent = 0; performance.now() < end_ms; ) {
    const due = Math.floor(((performance.now() - begun_ms) / 1000) * rate);
    for (; sent < due; sent += 1) {
      const call = one().finally(() => open.delete(call));
      open.add(call);
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await Promise.all(open);
  await agent.destroy();
  times.sort((left, right) => left - right);
  const p99_ms = times[Math.floor(times.length * 0.99)] ?? 0;
  return { goodput: good / (seconds / 2), p99_ms, refused, late };
}

async function ask(agent: Dispatcher, url: string): Promise<number> {
  const { statusCode, body } = await agent.request({
    origin: url,
    path: '/v1/chat/completions',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: BODY,
  });
  await body.dump();
  return statusCode;
}

/** The same policies, with an overload setting of its own. */
function policiesWith(upstream: string, overload: string): Readonly<Record<string, string>> {
  const policies = benchPolicies(upstream, { engine: false });
  return { ...policies, 'gateway.yaml': `${policies['gateway.yaml']}resilience:\n  ${overload}\n` };
}

async function measure(name: string, overload: string): Promise<void> {
  const { server, url } = await startNarrow();
  const product = await startProduct({ policies: policiesWith(url, overload) });
  try {
    const peak = await offer(product.gateway_url, CAPACITY * 0.95);
    const over = await offer(product.gateway_url, CAPACITY * 3);
    const share = ((over.goodput / peak.goodput) * 100).toFixed(0);
    const after = `${over.goodput.toFixed(0)}/s of ${peak.goodput.toFixed(0)}/s = ${share} %`;
    const rest = `${over.refused} refused, ${over.late} late`;
    say(`${name}: goodput at 3 × capacity ${after}; p99 ${over.p99_ms.toFixed(0)} ms; ${rest}`);
  } finally {
    await product.stop();
    server.closeAllConnections();
    server.close();
  }
}

await measure('no bound', 'overload: { in_flight: 1000000 }');
await measure('adaptive', 'overload: { in_flight: adaptive }');
await measure('adaptive, queue 500 ms', 'overload: { in_flight: adaptive, queue_ms: 500 }');
await measure(`a number, ${SLOTS}`, `overload: { in_flight: ${SLOTS}, queue_ms: 500 }`);
