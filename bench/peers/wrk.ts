import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Endpoint, Gateway } from './gateways.ts';
import { LOAD_CORE } from './pinned.ts';

export interface WrkResult {
  readonly calls: number;
  readonly seconds: number;
  /** Answers other than 2xx, and broken connections: above 0 the numbers mean nothing. */
  readonly wrong: number;
}

/** Of each process that serves, so that each has as many calls in hand. */
const CONNECTIONS = 64;

/** As many calls as the gateway takes, for a while. */
export async function runWrk(
  { calls: to, workers }: Pick<Gateway, 'calls' | 'workers'>,
  body: string,
  seconds: number,
): Promise<WrkResult> {
  const dir = mkdtempSync(join(tmpdir(), 'hive-wrk-'));
  const script = join(dir, 'post.lua');
  writeFileSync(script, scriptOf(to, body));
  try {
    const url = `http://127.0.0.1:${to.port}${to.path}`;
    const load = [`-t1`, `-c${CONNECTIONS * workers}`, `-d${seconds}s`, '--timeout', '10s'];
    const said = await run(
      'taskset',
      ['-c', LOAD_CORE, 'wrk', ...load, '-s', script, url],
      seconds,
    );
    const found = /HIVE (\d+) (\d+) (\d+)/.exec(said);
    if (!found) throw new Error(`wrk said nothing of use:\n${said}`);
    const [calls = 0, microseconds = 0, wrong = 0] = found.slice(1).map(Number);
    return { calls, seconds: microseconds / 1e6, wrong };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function scriptOf({ headers }: Endpoint, body: string): string {
  const lua = (text: string): string => `[==[${text}]==]`;
  const lines = Object.entries({ 'content-type': 'application/json', ...headers }).map(
    ([name, value]) => `wrk.headers[ ${lua(name)} ] = ${lua(value)}`,
  );
  return `wrk.method = "POST"
wrk.body = ${lua(body)}
${lines.join('\n')}
done = function(summary)
  local e = summary.errors
  io.write(string.format("HIVE %d %d %d\\n", summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout))
end
`;
}

function run(program: string, args: readonly string[], seconds: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: (seconds + 30) * 1000,
    });
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
