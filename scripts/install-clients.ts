import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Installs the clients that test/e2e/clients plays with: `npm run test:clients`. They are heavy, so
// the project's own install goes without them; suites whose clients are missing are skipped.
const dir = fileURLToPath(new URL('../test/e2e/clients', import.meta.url));
const venv = join(dir, 'venv');
const python = join(venv, 'bin', 'python');

const run = (command: string, ...args: readonly string[]): boolean =>
  spawnSync(command, args, { cwd: dir, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;

const npm = run('npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund');
const pip =
  run('python3', '-m', 'venv', venv) &&
  run(python, '-m', 'pip', 'install', '--quiet', '-r', join(dir, 'requirements.txt'));
if (!pip) process.stderr.write('no Python clients: apt-get install python3-venv\n');
process.exitCode = npm ? 0 : 1;
