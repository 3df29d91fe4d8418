import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { median, round } from '../gates.ts';
import { type Figure, ratios, spreadText } from './figures.ts';
import { type Endpoint, type Gateway, untouched } from './gateways.ts';
import { cpuMsOf } from './proc.ts';
import { runWrk } from './wrk.ts';

/** How long and how often; a test of the bench itself asks for little. */
export interface Effort {
  readonly rounds: number;
  readonly seconds: number;
  /** Calls that let a just-in-time compiler come to rest; the same time for everyone. */
  readonly warm_s: number;
}

/** What is asked and counted as one: a gateway, or several that are asked at once. */
export type Side = readonly Gateway[];

/** CPU of a side's own processes a call, in µs. */
async function cpuPerCall(side: Side, body: string, seconds: number) {
  const [own, beside] = [side.flatMap(({ pids }) => pids), side.flatMap((one) => one.beside)];
  const before_ms = cpuMsOf(own);
  const beside_before_ms = cpuMsOf(beside);
  const runs = await Promise.all(side.map((gateway) => runWrk(gateway, body, seconds)));
  const own_ms = cpuMsOf(own) - before_ms;
  const beside_ms = cpuMsOf(beside) - beside_before_ms;
  const names = side.map(({ name }) => name).join(' and ');
  const wrong = runs.reduce((sum, run) => sum + run.wrong, 0);
  if (wrong > 0) throw new Error(`${names} answered ${wrong} calls wrong`);
  const calls = runs.reduce((sum, run) => sum + run.calls, 0);
  return { own_us: (own_ms * 1000) / calls, beside_us: (beside_ms * 1000) / calls };
}

/**
 * CPU a call of several sides by turns: one value a round for each. Each process that serves is
 * warmed for the same time, and what one turn left to be stored is stored before the next begins.
 */
export async function byTurns(sides: readonly Side[], body: string, effort: Effort) {
  const own = sides.map((): number[] => []);
  const beside = sides.map((): number[] => []);
  const others = sides.flat().flatMap((gateway) => gateway.beside);
  for (const gateway of sides.flat()) {
    await runWrk(gateway, body, effort.warm_s * gateway.workers);
  }
  for (let turn = 0; turn < effort.rounds; turn += 1) {
    for (const [index, side] of sides.entries()) {
      await untilRests(others);
      const { own_us, beside_us } = await cpuPerCall(side, body, effort.seconds);
      own[index]?.push(own_us);
      beside[index]?.push(beside_us);
    }
  }
  return { own, beside };
}

const LOOK_MS = 500;
/** Of a core; what an idle worker of several takes is a few thousandths. */
const RESTS_SHARE = 0.05;
const REST_MS_MAX = 60_000;

/** Waits until processes have done what they were left with: it would be done beside the next. */
async function untilRests(pids: readonly number[]): Promise<void> {
  for (let waited_ms = 0; waited_ms < REST_MS_MAX; waited_ms += LOOK_MS) {
    const before_ms = cpuMsOf(pids);
    await delay(LOOK_MS);
    if (cpuMsOf(pids) - before_ms <= LOOK_MS * RESTS_SHARE) return;
  }
  throw new Error(`still at work after ${REST_MS_MAX} ms: ${pids.join(', ')}`);
}

export interface Contestants {
  readonly nginx: Gateway;
  readonly hive: Gateway;
  readonly portkey: Gateway | null;
}

export async function measureCpuPerCall(
  { nginx, hive, portkey }: Contestants,
  body: string,
  effort: Effort,
): Promise<readonly Figure[]> {
  const gateways = [nginx, hive, ...(portkey ? [portkey] : [])];
  const sides = gateways.map((gateway) => [gateway]);
  const { own, beside } = await byTurns(sides, body, effort);
  const [of_nginx = [], of_hive = [], of_portkey = []] = own;
  const [, of_worker = []] = beside;
  return [
    {
      name: 'CPU per call, 1 KB JSON, saturation, vs nginx',
      unit: '×',
      gate: 5,
      stretch: 3.5,
      rounds: ratios(of_hive, of_nginx),
      remark:
        `${round(median(of_hive))} µs over ${round(median(of_nginx))} µs; the worker beside it, ` +
        `off the call's path: ${round(median(of_worker))} µs`,
    },
    {
      name: 'the same vs Portkey 1.15.2: how many times less',
      unit: '×',
      gate: 7.5,
      stretch: 11,
      more: true,
      rounds: ratios(of_portkey, of_hive),
      remark:
        of_portkey.length === 0
          ? 'Portkey is not installed'
          : `${round(median(of_portkey))} µs, ${spreadText(ratios(of_portkey, of_nginx), '× nginx')}`,
    },
  ];
}

/** A 10 KB body that a plugin edits against the same body left as it is, in one process. */
export async function measureEdit(hive: Gateway, body: string, effort: Effort): Promise<Figure> {
  const { own } = await byTurns([[untouched(hive)], [hive]], body, effort);
  const [plain = [], edited = []] = own;
  return {
    name: 'CPU per call, 10 KB body edited by a plugin vs untouched',
    unit: '×',
    gate: 1.5,
    stretch: 1.2,
    rounds: ratios(edited, plain),
    remark: `${round(median(edited))} µs over ${round(median(plain))} µs`,
  };
}

const RATE = 50;

/** The median time of a call at a steady rate, without waiting for earlier ones. */
async function p50Ms(to: Endpoint, body: string, seconds: number): Promise<number> {
  const agent = new Agent({ keepAlive: true });
  const taken_ms: number[] = [];
  const begun_ms = performance.now();
  const calls: Promise<void>[] = [];
  for (let call = 0; call < RATE * seconds; call += 1) {
    const due_ms = begun_ms + (call * 1000) / RATE;
    await delay(Math.max(0, due_ms - performance.now()));
    calls.push(callOnce(to, body, agent).then((ms) => void taken_ms.push(ms)));
  }
  await Promise.all(calls);
  agent.destroy();
  return median(taken_ms);
}

function callOnce(to: Endpoint, body: string, agent: Agent): Promise<number> {
  const { port, path, headers } = to;
  return new Promise((resolve, reject) => {
    const begun_ms = performance.now();
    const asked = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method: 'POST',
        agent,
        timeout: 10_000,
        headers: {
          ...headers,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
      },
      (answer) => {
        answer.resume();
        answer.once('end', () => {
          if (answer.statusCode === 200) resolve(performance.now() - begun_ms);
          else reject(new Error(`port ${port} answered ${answer.statusCode}`));
        });
      },
    );
    asked.once('error', reject);
    asked.once('timeout', () => asked.destroy(new Error('no answer within 10 s')));
    asked.end(body);
  });
}

export async function measureAddedTime(
  { hive, portkey, nginx }: Contestants,
  direct: Endpoint,
  body: string,
  effort: Effort,
): Promise<Figure> {
  const ends = [direct, nginx.calls, hive.calls, ...(portkey ? [portkey.calls] : [])];
  const added = ends.map((): number[] => []);
  for (let turn = 0; turn < effort.rounds; turn += 1) {
    const p50s: number[] = [];
    for (const to of ends) p50s.push(await p50Ms(to, body, effort.seconds));
    for (const [index, ms] of p50s.entries()) added[index]?.push(ms - (p50s[0] ?? 0));
  }
  const [, of_nginx = [], of_hive = [], of_portkey = []] = added;
  const us = (values: readonly number[]): string => `${round(median(values) * 1000)} µs`;
  return {
    name: `added p50 at ${RATE} calls/s vs Portkey`,
    unit: '×',
    gate: 0.32,
    stretch: 0.24,
    rounds: ratios(of_hive, of_portkey),
    remark:
      of_portkey.length === 0
        ? `Portkey is not installed; ${us(of_hive)}, nginx ${us(of_nginx)}`
        : `${us(of_hive)} over ${us(of_portkey)}; nginx ${us(of_nginx)}`,
  };
}
