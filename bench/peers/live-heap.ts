import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Put into a gateway process by `--import`: at a SIGUSR2 it writes what of its memory is alive, in
// bytes, to a file of its pid in the folder that `to` names. It wants --expose-gc.

const folder = fileURLToPath(new URL(import.meta.url).searchParams.get('to') ?? '');

process.on('SIGUSR2', () => {
  // What the first collection finds dead may hold what only the second can free.
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  writeFileSync(join(folder, String(process.pid)), String(heapUsed + arrayBuffers));
});
