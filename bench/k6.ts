import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));

export const K6_VERSION = '1.8.1';
export const K6_MISSING =
  'k6 is missing: set K6_BIN, put k6 on PATH, or build it with Go: npm run bench:install';

/** Where k6 is: `K6_BIN`, then `PATH`, then what `npm run bench:install` built. Null without it. */
export function findK6(env: NodeJS.ProcessEnv): string | null {
  if (env.K6_BIN) return existsSync(env.K6_BIN) ? env.K6_BIN : null;
  const folders = [...(env.PATH ?? '').split(delimiter).filter(Boolean), join(HERE, 'bin')];
  const name = process.platform === 'win32' ? 'k6.exe' : 'k6';
  // npm's package of this name is a placeholder: below node_modules there is no k6.
  const usable = folders.filter((folder) => !folder.includes('node_modules'));
  return usable.map((folder) => join(folder, name)).find((file) => existsSync(file)) ?? null;
}

/** What of a k6 run the benchmarks quote; times in milliseconds. */
export interface K6Result {
  readonly calls: number;
  readonly calls_per_s: number;
  readonly p50_ms: number;
  readonly p95_ms: number;
  readonly p99_ms: number;
  /** Requests that did not bring the whole of a right answer. */
  readonly wrong: number;
  /** Requests that the load generator could not start in time: above 0 the rate was not held. */
  readonly dropped: number;
}

export async function runK6(
  k6: string,
  script: string,
  env: Readonly<Record<string, string>>,
): Promise<K6Result> {
  const dir = mkdtempSync(join(tmpdir(), 'hive-k6-'));
  const summary = join(dir, 'summary.json');
  const named = Object.entries({ ...env, SUMMARY: summary });
  const variables = named.flatMap(([name, value]) => ['-e', `${name}=${value}`]);
  const args = ['run', '-q', '--no-usage-report', '--no-color', ...variables];
  try {
    const said = await run(k6, [...args, join(HERE, 'k6', script)]);
    if (!existsSync(summary)) throw new Error(`k6 ${script} left no summary:\n${said}`);
    const result = resultOf(JSON.parse(readFileSync(summary, 'utf8')));
    // A run whose set-up failed has a summary too: all zeros, which would read as very fast.
    if (result.calls === 0) throw new Error(`k6 ${script} made no call:\n${said}`);
    return result;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** No run lasts longer, whatever hangs. */
const RUN_MS_MAX = 180_000;

function run(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
    const child = spawn(program, args, { stdio, timeout: RUN_MS_MAX });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (part: Buffer) => {
        said += part.toString('utf8');
      });
    }
    child.once('error', reject);
    child.once('close', () => resolve(said));
  });
}

interface Summary {
  readonly metrics: {
    readonly [name: string]: { readonly values: { readonly [value: string]: number } } | undefined;
  };
}

function resultOf({ metrics }: Summary): K6Result {
  const metric = (name: string, value: string): number => metrics[name]?.values[value] ?? 0;
  return {
    calls: metric('iterations', 'count'),
    calls_per_s: metric('iterations', 'rate'),
    p50_ms: metric('http_req_duration', 'med'),
    p95_ms: metric('http_req_duration', 'p(95)'),
    p99_ms: metric('http_req_duration', 'p(99)'),
    wrong: metric('checks', 'fails'),
    dropped: metric('dropped_iterations', 'count'),
  };
}
