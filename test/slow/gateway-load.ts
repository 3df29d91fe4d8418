import { readFileSync } from 'node:fs';

/** What the slow tests of the whole gateway have in common: steady calls, and its memory. */

/** Resident bytes of a process. */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}

export interface Load {
  /** Milliseconds of each call that was answered, in the order of their ends. */
  readonly times_ms: readonly number[];
  /** What went wrong. */
  readonly failures: readonly string[];
  stop(): Promise<void>;
}

/** Calls one after another on each of so many lanes, until stopped. */
export function steadyLoad(url: string, model: string, lanes: number): Load {
  const times_ms: number[] = [];
  const failures: string[] = [];
  let running = true;
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }] });
  const headers = { 'content-type': 'application/json' };
  const lane = async (): Promise<void> => {
    while (running) {
      const begun_ms = performance.now();
      try {
        const response = await fetch(`${url}/v1/chat/completions`, {
          method: 'POST',
          headers,
          body,
        });
        const text = await response.text();
        if (response.status === 200) times_ms.push(performance.now() - begun_ms);
        else failures.push(`${response.status} ${text.slice(0, 200)}`);
      } catch (error) {
        failures.push(String(error));
      }
    }
  };
  const all = Array.from({ length: lanes }, lane);
  return {
    times_ms,
    failures,
    async stop() {
      running = false;
      await Promise.all(all);
    },
  };
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
