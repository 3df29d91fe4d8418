import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { until } from '../../test/kit/until.ts';
import type { Gateway } from './gateways.ts';
import { LOAD_CORE, type Pinned, startPinned, untilAnswers } from './pinned.ts';

const UPSTREAM = fileURLToPath(new URL('./streams-upstream.ts', import.meta.url));
const LOAD = fileURLToPath(new URL('./streams-load.ts', import.meta.url));

export interface Counted {
  readonly streams: number;
  readonly events: number;
  /** Streams that ended or were refused: above 0 the numbers mean nothing. */
  readonly broken: number;
  readonly status: string;
}

/** Open streams through a gateway. */
export interface StreamLoad {
  /** Opens as many more, or closes as many, as it takes. */
  open(streams: number): Promise<void>;
  count(): Promise<Counted>;
  end(): Promise<void>;
}

export async function startStreamsUpstream(port: number, interval_ms: number): Promise<Pinned> {
  const pinned = startPinned({
    name: 'the streams’ upstream',
    core: LOAD_CORE,
    program: process.execPath,
    args: [UPSTREAM, String(port), String(interval_ms)],
  });
  await untilAnswers(pinned, `http://127.0.0.1:${port}/`);
  return pinned;
}

export function startStreamLoad(gateway: Gateway, body: string): StreamLoad {
  const { port, path, headers } = gateway.streams;
  const spec = JSON.stringify({ port, path, headers, body });
  const child: ChildProcess = spawn('taskset', ['-c', LOAD_CORE, process.execPath, LOAD, spec], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const killOnExit = (): void => void child.kill('SIGKILL');
  process.once('exit', killOnExit);
  child.once('exit', () => process.off('exit', killOnExit));

  const count = async (): Promise<Counted> => {
    const answered = once(child, 'message');
    child.send({ count: true });
    const [counted] = (await answered) as [Counted];
    return counted;
  };
  return {
    count,
    async open(streams) {
      child.send({ open: streams });
      const what = `${streams} streams through ${gateway.name}`;
      const all = async (): Promise<boolean> => {
        const counted = await count();
        if (counted.streams === streams && counted.broken === 0) return true;
        throw new Error(JSON.stringify(counted));
      };
      await until(all, { what, deadline_ms: 60_000, every_ms: 50 });
    },
    async end() {
      if (child.exitCode !== null) return;
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}
