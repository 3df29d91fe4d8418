// Runs once after an installation: each command of the lab on its own sample, so that already the
// first start finds all of it compiled. Nothing depends on it: whatever fails here is left out.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const HIVE = fileURLToPath(new URL('hive.mjs', import.meta.url));
/** The longest takes a second; an installation must not hang on any. */
const TIMEOUT_MS = 20_000;

/** What `hive …` prints; nothing where it failed. */
function printed(args) {
  const options = { cwd: ROOT, encoding: 'utf8', timeout: TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 };
  const { status, stdout } = spawnSync(process.execPath, [HIVE, ...args], options);
  return status === 0 ? stdout : '';
}

// The samples are the examples of the help itself, so that a new command is not forgotten.
for (const [, example] of printed(['lab', '--help']).matchAll(/^ +hive (lab \S.*)$/gm)) {
  printed(example.trim().split(' '));
}
