import { descendantsOf, listProcesses, pssKb } from '../test/kit/processes.ts';

/** Memory of the running product in MB, as the proportional set size of its processes. */
export interface Memory {
  readonly all_mb: number;
  readonly gateway_mb: number;
  /** By process, such as `worker`. */
  readonly by_mb: Readonly<Record<string, number>>;
}

/** Of the product that this process started; null while there is none, or where /proc is not. */
export function readMemory(parent = process.pid): Memory | null {
  const all = listProcesses();
  const gateway = descendantsOf(parent, all).find(({ command }) =>
    command.includes('bin/start.mjs'),
  );
  if (!gateway) return null;
  const by_mb: Record<string, number> = {};
  for (const { pid, command } of [gateway, ...descendantsOf(gateway.pid, all)]) {
    const kb = pssKb(pid);
    if (kb === null) continue;
    const name = pid === gateway.pid ? 'gateway' : nameOf(command);
    by_mb[name] = (by_mb[name] ?? 0) + kb / 1024;
  }
  const all_mb = Object.values(by_mb).reduce((sum, mb) => sum + mb, 0);
  return all_mb > 0 ? { all_mb, gateway_mb: by_mb.gateway ?? 0, by_mb } : null;
}

function nameOf(command: string): string {
  const script = /src\/(?:[a-z-]+\/)*([a-z-]+)\.ts/.exec(command)?.[1];
  return script === 'main' ? 'engine' : (script ?? 'other');
}

/** Reads every half second until `stop`, which gives the highest that was seen. */
export function watchMemory(): { stop(): Memory | null } {
  let highest: Memory | null = null;
  const timer = setInterval(() => {
    const now = readMemory();
    if (now && now.all_mb > (highest?.all_mb ?? 0)) highest = now;
  }, 500);
  return {
    stop() {
      clearInterval(timer);
      return highest;
    },
  };
}

/** The median of five readings a second apart, after a while in which the start's garbage goes. */
export async function idleMemory(settle_ms: number): Promise<Memory | null> {
  const readings: Memory[] = [];
  await after(settle_ms);
  for (let reading = 0; reading < 5; reading += 1) {
    const now = readMemory();
    if (now) readings.push(now);
    await after(1000);
  }
  return readings.sort((left, right) => left.all_mb - right.all_mb)[2] ?? null;
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
