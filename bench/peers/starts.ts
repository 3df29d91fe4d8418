import { setTimeout as delay } from 'node:timers/promises';
import { median, round } from '../gates.ts';
import type { Figure } from './figures.ts';
import type { Gateway } from './gateways.ts';
import { rssKbOf } from './proc.ts';

const IDLE_MS = 10_000;

interface Starting {
  readonly name: string;
  readonly start: () => Promise<Gateway>;
}

/** From the start of the process until it serves, and its memory after ten quiet seconds. */
export async function measureStarts(
  starts: readonly Starting[],
  rounds: number,
): Promise<readonly Figure[]> {
  const start_ms = new Map<string, number[]>(starts.map(({ name }) => [name, []]));
  const idle_mb = new Map<string, number[]>(starts.map(({ name }) => [name, []]));
  for (let turn = 0; turn < rounds; turn += 1) {
    for (const { name, start } of starts) {
      const gateway = await start();
      try {
        start_ms.get(name)?.push(gateway.start_ms);
        await delay(IDLE_MS);
        idle_mb.get(name)?.push(rssKbOf(gateway.pids) / 1024);
      } finally {
        await gateway.end();
      }
    }
  }
  const row = { stretch: null, remark: '' };
  return [
    {
      ...row,
      name: 'the gateway serves after its start',
      unit: 'ms',
      gate: 600,
      rounds: start_ms.get('hive') ?? [],
      remark: othersOf(start_ms, 'ms'),
    },
    {
      ...row,
      name: 'idle RSS of the gateway process',
      unit: 'MB',
      gate: 120,
      rounds: idle_mb.get('hive') ?? [],
      remark: othersOf(idle_mb, 'MB'),
    },
  ];
}

function othersOf(taken: ReadonlyMap<string, readonly number[]>, unit: string): string {
  const others = [...taken].filter(([name]) => name !== 'hive');
  return others.map(([name, values]) => `${name} ${round(median(values))} ${unit}`).join('; ');
}
