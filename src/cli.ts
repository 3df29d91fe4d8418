import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { parseEnv } from 'node:util';
import type { Brake, CheckWords, CliContext } from './cli/command.ts';
import { GatewayError, messageOf } from './core/errors.ts';

/** `hive …`: runs one command line and resolves with its exit code. */
export async function runCli(argv: readonly string[]): Promise<number> {
  // The lab needs none of what the other commands do, and starts in half the time without it.
  if (argv[0] === 'lab') return lab(argv.slice(1));
  const { runCommand } = await import('./cli/run-command.ts');
  return runCommand(argv, await createContext(process.env));
}

async function lab(args: readonly string[]): Promise<number> {
  const { createLabIo } = await import('./cli/lab-io.ts');
  const { runLab } = await import('./cli/lab-commands.ts');
  const io = createLabIo(process);
  const code = await runLab(args, io);
  io.end();
  return code;
}

async function createContext(environment: NodeJS.ProcessEnv): Promise<CliContext> {
  const env = { ...dotEnv('.env'), ...environment };
  return {
    env,
    print: (line) => void process.stdout.write(`${line}\n`),
    warn: (line) => void process.stderr.write(`${line}\n`),
    readInput,
    fetch: (url, init) => fetch(url, init),
    pause: (ms) => pause(ms),
    brake: await fileBrake(),
    // Loaded only when asked for: the other commands start in a tenth of the time without them.
    start: async (flags) => (await import('./main.ts')).start(flags),
    check: (words) => check(words, env),
    lab,
    product_version: productVersion(),
  };
}

async function fileBrake(): Promise<Brake> {
  const { readControl, writeControl } = await import('./config/control.ts');
  const { readLastGood } = await import('./config/last-good.ts');
  return {
    dataExists: existsSync,
    sameDir: (left, right) => realPath(left) === realPath(right),
    readControl,
    writeControl,
    liveRows: (data_dir) => readLastGood(data_dir)?.state.rows ?? null,
  };
}

function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : path;
}

/** `.env` of the working directory, as the start reads it: what is set already wins. */
function dotEnv(path: string): Record<string, string | undefined> {
  return existsSync(path) ? parseEnv(readFileSync(path, 'utf8')) : {};
}

async function readInput(file: string): Promise<string> {
  try {
    return file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
  } catch (thrown) {
    throw new GatewayError('bad_request', `${file} cannot be read: ${messageOf(thrown)}`);
  }
}

function productVersion(): string {
  const file = new URL('../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version;
}

async function check({ policies, explain, probe }: CheckWords, env: NodeJS.ProcessEnv) {
  const { checkPolicies, compileForCheck } = await import('./config/check.ts');
  const { readEnvironment } = await import('./config/env.ts');
  const { providers } = await import('./providers/index.ts');
  const { plugins } = await import('./plugins/index.ts');
  const { gates } = await import('./oracle/gates/index.ts');
  const environment = readEnvironment(env, { policies });
  const dir = environment.policies_dir;
  const names = [...gates.keys()];
  const input = { dir, environment, providers, plugins, gates: names };
  const checked = checkPolicies({ ...input, explain });
  if (!checked.ok || !probe) return checked;
  const { probeTargets, probeReport } = await import('./cli/probe.ts');
  const results = await probeTargets([...compileForCheck(input).targets.values()]);
  return {
    ok: results.every(({ failure }) => failure === null),
    text: `${checked.text}\n${probeReport(results)}\n`,
  };
}

if (import.meta.main) process.exitCode = await runCli(process.argv.slice(2));
