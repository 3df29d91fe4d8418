import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Installs what `npm run bench:peers` compares with: nginx and wrk from Debian, as root only, and
 * Portkey's gateway from npm into a folder of its own.
 */
const PORTKEY = fileURLToPath(new URL('./peers/portkey', import.meta.url));

export const INSTALL =
  'Install them with: apt-get install nginx wrk util-linux; and Portkey with npm run ' +
  'bench:peers:install';

const FLAGS: Readonly<Record<string, string>> = { nginx: '-v', wrk: '-v', taskset: '-V' };

/** Programs that the side-by-side cannot do without; it is for Linux, for its /proc. */
export function missingTools(): readonly string[] {
  const programs = Object.entries(FLAGS).filter(
    ([program, flag]) => spawnSync(program, [flag], { stdio: 'ignore' }).error !== undefined,
  );
  const missing = programs.map(([program]) => program);
  return existsSync('/proc/self/stat') ? missing : [...missing, 'Linux'];
}

function install(): number {
  const missing = missingTools();
  const packages = missing.map((program) => (program === 'taskset' ? 'util-linux' : program));
  if (packages.length > 0) {
    if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
      process.stderr.write(`missing: ${missing.join(', ')}. ${INSTALL}\n`);
      return 2;
    }
    const run = (args: readonly string[]): boolean =>
      spawnSync('apt-get', args, { stdio: 'inherit' }).status === 0;
    if (!run(['update']) || !run(['install', '-y', '--no-install-recommends', ...packages])) {
      return 1;
    }
  }
  const ci = spawnSync('npm', ['ci', '--ignore-scripts'], { cwd: PORTKEY, stdio: 'inherit' });
  return ci.status === 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = install();
