import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { EngineConfig, EngineReady } from '../../src/engine/config.ts';

export const modelPath = (name: string) =>
  fileURLToPath(new URL(`../../models/${name}.gguf`, import.meta.url));

export interface RunningEngine {
  readonly child: ChildProcess;
  readonly url: string;
  /** What it wrote to stderr so far. */
  log(): string;
  /** Ends it as a parent's death would, and resolves to the exit code. */
  stop(): Promise<number | null>;
}

/** The real engine process, ready. */
export async function startEngine(providers: EngineConfig['providers']): Promise<RunningEngine> {
  const config: EngineConfig = { providers, port: 0 };
  const child = fork(
    fileURLToPath(new URL('../../src/engine/main.ts', import.meta.url)),
    [JSON.stringify(config)],
    { execPath: process.execPath, execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
  );
  let log = '';
  child.stderr?.on('data', (bytes: Buffer) => {
    log += bytes.toString();
  });
  const ready = await Promise.race([
    once(child, 'message').then(([message]) => message as EngineReady),
    once(child, 'exit').then(() => null),
  ]);
  if (ready?.kind !== 'engine-ready') throw new Error(`the engine did not start: ${log}`);
  return {
    child,
    url: `http://127.0.0.1:${ready.port}`,
    log: () => log,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const exited = once(child, 'exit');
      if (child.connected) child.disconnect();
      const [code] = (await exited) as [number | null];
      return code;
    },
  };
}
