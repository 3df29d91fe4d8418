import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MOCK = fileURLToPath(new URL('./mock-upstream.ts', import.meta.url));

/** The upstream of the benchmarks in a process of its own; it ends with this one. */
export async function startMock(): Promise<{ mock: ChildProcess; url: string }> {
  const mock = fork(MOCK);
  const [{ port }] = (await once(mock, 'message')) as [{ port: number }];
  return { mock, url: `http://127.0.0.1:${port}/v1` };
}
