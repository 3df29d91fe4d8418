import { availableParallelism } from 'node:os';
import type { SimReport } from '../sim/report.ts';
import type { World } from '../sim/scenario.ts';
import {
  type Asked,
  type CliContext,
  type Command,
  flagNumber,
  flagText,
  usageError,
  wordAt,
} from './command.ts';
import { tableText } from './text.ts';

const RUNS_MAX = 10_000;
/** More threads than any machine has cores. */
const JOBS_MAX = 256;
/** How far it is, is told no more often than this. */
const PROGRESS_EVERY_MS = 1000;

const sim: Command = {
  name: 'sim',
  usage:
    'WORLD|FILE|list [--seed N] [--runs N] [--jobs N] [--hours N] [--detectors A,B] ' +
    '[--url URL] [--serve-upstream PORT] [--latency-scale N] [--write-policies DIR --upstream URL]',
  summary: 'lets the oracle loose on a simulated world, and says what it found, gained and harmed',
  example: 'hive sim dissatisfied-model --seed 7',
  options: {
    seed: { type: 'string' },
    runs: { type: 'string' },
    jobs: { type: 'string' },
    hours: { type: 'string' },
    detectors: { type: 'string' },
    'write-policies': { type: 'string' },
    upstream: { type: 'string' },
    url: { type: 'string' },
    'serve-upstream': { type: 'string' },
    'latency-scale': { type: 'string' },
  },
  words: [1, 1],
  async run(asked, context) {
    const word = wordAt(asked, 0);
    if (word === 'list') return list(asked, context);
    // Loaded only when asked for: the oracle's statistics are no part of other commands' start.
    const { loadWorld } = await import('../sim/load-world.ts');
    const world = loadWorld(word);
    const dir = flagText(asked, 'write-policies');
    if (dir !== undefined) {
      const { writePolicies } = await import('../sim/write-policies.ts');
      const url = flagText(asked, 'upstream') ?? 'http://127.0.0.1:8099';
      for (const file of writePolicies(world.scenario, dir, url)) context.print(file);
      return 0;
    }
    if (asked.flags.url !== undefined || asked.flags['serve-upstream'] !== undefined) {
      return overHttp(asked, context, world);
    }
    const reports = await runAll(asked, context, world);
    const { summaryOf } = await import('../sim/report.ts');
    const { reportText, summaryText } = await import('../sim/report-text.ts');
    const [only] = reports;
    const single = reports.length === 1 && only;
    const data = single ? only : summaryOf(reports);
    if (asked.json) context.print(JSON.stringify(data));
    else context.print(single ? reportText(single, tableText) : summaryText(summaryOf(reports)));
    return 0;
  },
};

async function runAll(
  asked: Asked,
  context: CliContext,
  world: World,
): Promise<readonly SimReport[]> {
  const { runWorlds } = await import('../sim/run-worlds.ts');
  const seed = wholeFlag(asked, 'seed', 1, 0, 2 ** 31);
  const runs = wholeFlag(asked, 'runs', 1, 1, RUNS_MAX);
  const hours = flagNumber(asked, 'hours');
  if (hours !== undefined && !(hours > 0 && hours <= 24 * 400)) {
    throw usageError('--hours is a number above 0, at most 9600');
  }
  const names = flagText(asked, 'detectors')?.split(',');
  const some = {
    ...(hours === undefined ? {} : { days: hours / 24 }),
    ...(names ? { detectors: names } : {}),
  };
  const jobs = wholeFlag(asked, 'jobs', availableParallelism(), 1, JOBS_MAX);
  let told_ms = performance.now();
  const onProgress = (share: number, done: number): void => {
    if (performance.now() - told_ms < PROGRESS_EVERY_MS) return;
    told_ms = performance.now();
    context.warn(`${world.name}: ${(100 * share).toFixed(0)} %, ${done} of ${runs} runs done`);
  };
  return runWorlds(world, { seed, runs, jobs, ...some, onProgress });
}

/** Against a running gateway, with the world's models served here where that was asked for. */
async function overHttp(asked: Asked, context: CliContext, world: World): Promise<number> {
  const { httpText, runAgainst, serveUpstream } = await import('./sim-http.ts');
  const upstream = await serveUpstream(asked, world);
  if (upstream) context.warn(`the models of ${world.name} answer below ${upstream.url}`);
  const url = flagText(asked, 'url');
  // The server keeps the process alive: without users of its own it serves until it is stopped.
  if (url === undefined) return 0;
  try {
    const seed = wholeFlag(asked, 'seed', 1, 0, 2 ** 31);
    const hours = flagNumber(asked, 'hours') ?? world.scenario.days * 24;
    const report = await runAgainst(asked, context, world, { url, seed, hours });
    context.print(asked.json ? JSON.stringify(report) : httpText(report));
  } finally {
    await upstream?.close();
  }
  return 0;
}

async function list(asked: Asked, context: CliContext): Promise<number> {
  const { loadWorld, worldNames } = await import('../sim/load-world.ts');
  const worlds = worldNames().map((name) => {
    const { summary, days } = loadWorld(name).scenario;
    return { name, days, summary };
  });
  if (asked.json) context.print(JSON.stringify({ worlds }));
  else {
    const rows = worlds.map(({ name, days, summary }) => [
      name,
      String(Number(days.toFixed(2))),
      summary,
    ]);
    context.print(tableText(['world', 'days', 'what happens'], rows, 'No worlds.'));
  }
  return 0;
}

function wholeFlag(asked: Asked, name: string, fallback: number, least: number, most: number) {
  const value = flagNumber(asked, name) ?? fallback;
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw usageError(`--${name} is a whole number from ${least} to ${most}`);
}

export const simCommands: readonly Command[] = [sim];
