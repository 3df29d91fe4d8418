import { setTimeout as delay } from 'node:timers/promises';
import { median, round } from '../gates.ts';
import { byTurns, type Contestants, type Effort } from './calls.ts';
import { type Figure, ratios, spreadText } from './figures.ts';
import type { Gateway } from './gateways.ts';
import { cpuMsOf, rssKbOf } from './proc.ts';
import { startStreamLoad } from './streams.ts';

const STREAMS = 500;
const SETTLE_MS = 3000;

/** CPU of a gateway's own processes for each event that it passed on, in µs. */
async function cpuPerEvent(gateway: Gateway, body: string, seconds: number): Promise<number> {
  const load = startStreamLoad(gateway, body);
  try {
    await load.open(STREAMS);
    await delay(SETTLE_MS);
    const before = await load.count();
    const before_ms = cpuMsOf(gateway.pids);
    await delay(seconds * 1000);
    const used_ms = cpuMsOf(gateway.pids) - before_ms;
    const after = await load.count();
    if (after.broken > 0 || after.streams !== STREAMS) {
      throw new Error(`${gateway.name} lost streams: ${JSON.stringify(after)}`);
    }
    return (used_ms * 1000) / (after.events - before.events);
  } finally {
    await load.end();
  }
}

export async function measureCpuPerEvent(
  { nginx, hive, portkey }: Contestants,
  body: string,
  effort: Effort,
): Promise<Figure> {
  const gateways = [nginx, hive, ...(portkey ? [portkey] : [])];
  const taken = gateways.map((): number[] => []);
  // The first turn warms up, and is thrown away.
  for (let turn = 0; turn <= effort.rounds; turn += 1) {
    for (const [index, gateway] of gateways.entries()) {
      const us = await cpuPerEvent(gateway, body, effort.seconds);
      if (turn > 0) taken[index]?.push(us);
    }
  }
  const [of_nginx = [], of_hive = [], of_portkey = []] = taken;
  return {
    name: `CPU per SSE chunk at ${STREAMS} streams, vs nginx`,
    unit: '×',
    gate: 2.3,
    stretch: 1.6,
    rounds: ratios(of_hive, of_nginx),
    remark:
      `${round(median(of_hive))} µs over ${round(median(of_nginx))} µs` +
      (of_portkey.length === 0
        ? ''
        : `; Portkey ${spreadText(ratios(of_portkey, of_nginx), '× nginx')}`),
  };
}

/**
 * What a whole call takes of a gateway that has had hundreds of streams open, over what it took
 * before; nginx beside it both times, so that a slower minute of the machine is none of ours.
 */
export async function measureCallsAfterStreams(
  { nginx, hive }: Contestants,
  bodies: { readonly whole: string; readonly streamed: string },
  effort: Effort,
): Promise<Figure> {
  const measured = async (): Promise<readonly number[]> => {
    const { own } = await byTurns([[nginx], [hive]], bodies.whole, effort);
    const [of_nginx = [], of_hive = []] = own;
    return ratios(of_hive, of_nginx);
  };
  const before = await measured();
  await cpuPerEvent(hive, bodies.streamed, effort.seconds);
  const after = await measured();
  return {
    name: `CPU per call after ${STREAMS} streams vs before`,
    unit: '×',
    gate: 1.1,
    stretch: null,
    rounds: ratios(after, before),
    remark: `${spreadText(after, '× nginx')} over ${spreadText(before, '× nginx')}`,
  };
}

const SAMPLES = 10;

/** The median of a few readings a quarter of a second apart. */
async function rssNow(gateway: Gateway): Promise<number> {
  const readings: number[] = [];
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    readings.push(rssKbOf(gateway.pids));
    await delay(250);
  }
  return median(readings);
}

/**
 * What an open stream holds, over the memory of the same process without one: the worse of 500 and
 * 1,000 streams. A process that has served before has room to spare and would look too good, so
 * each round starts a new one.
 */
async function rssPerStream(start: () => Promise<Gateway>, body: string): Promise<number> {
  const gateway = await start();
  const load = startStreamLoad(gateway, body);
  try {
    await load.open(20);
    await delay(SETTLE_MS);
    const cold_kb = await rssNow(gateway);
    const each: number[] = [];
    for (const streams of [STREAMS, 2 * STREAMS]) {
      await load.open(streams);
      await delay(SETTLE_MS * 2);
      each.push(((await rssNow(gateway)) - cold_kb) / (streams - 20));
    }
    return Math.max(...each);
  } finally {
    await load.end();
    await gateway.end();
  }
}

export async function measureRss(
  starts: readonly { readonly name: string; readonly start: () => Promise<Gateway> }[],
  body: string,
  rounds: number,
): Promise<Figure> {
  const taken = new Map<string, number[]>(starts.map(({ name }) => [name, []]));
  for (let turn = 0; turn < rounds; turn += 1) {
    for (const { name, start } of starts) taken.get(name)?.push(await rssPerStream(start, body));
  }
  const others = [...taken].filter(([name]) => name !== 'hive');
  return {
    name: 'RSS per open stream, 500 to 1,000 streams, over cold',
    unit: 'KB',
    gate: 110,
    stretch: 60,
    rounds: taken.get('hive') ?? [],
    remark: others.map(([name, kb]) => `${name} ${round(median(kb))} KB`).join('; '),
  };
}
