import { parentPort, workerData } from 'node:worker_threads';
import { GatewayError, messageOf } from '../core/errors.ts';
import { runWorld } from './run-world.ts';
import type { Said, ThreadData } from './run-worlds.ts';

/** A thread that runs a world with one seed after another, as it is told. */
const { world, options } = workerData as ThreadData;
const port = parentPort;
if (!port) throw new Error('this is the program of a thread');
/** How far a run is, is told no more often than this: short ones are over by then. */
const PROGRESS_EVERY_MS = 250;
const say = (said: Said): void => port.postMessage(said);

port.on('message', (seed: number) => {
  try {
    let told_ms = performance.now();
    const onProgress = (share: number): void => {
      if (performance.now() - told_ms < PROGRESS_EVERY_MS) return;
      told_ms = performance.now();
      say({ type: 'progress', share });
    };
    say({ type: 'report', report: runWorld(world, { ...options, seed, onProgress }) });
  } catch (thrown) {
    const code = thrown instanceof GatewayError ? thrown.code : 'internal';
    say({ type: 'failed', code, message: messageOf(thrown) });
  }
});
