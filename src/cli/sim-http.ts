import { isLoopback } from '../config/loopback.ts';
import type { HttpReport } from '../sim/run-http.ts';
import type { World } from '../sim/scenario.ts';
import { type Asked, type CliContext, flagNumber, usageError } from './command.ts';

const LATENCY_SCALE = 20;
const CONCURRENCY = 64;

/** The world's models, served on loopback until `close`; null where nobody asked for them. */
export async function serveUpstream(asked: Asked, world: World) {
  const port = flagNumber(asked, 'serve-upstream');
  if (port === undefined) return null;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw usageError('--serve-upstream is a port, 0 to 65535');
  }
  const { startSimUpstream } = await import('../sim/upstream.ts');
  return startSimUpstream(world, { port, latency_scale: latencyScale(asked) });
}

/** `--url`: the world against a running gateway. Loopback only: it calls without asking. */
export async function runAgainst(
  asked: Asked,
  context: CliContext,
  world: World,
  options: { readonly url: string; readonly seed: number; readonly hours: number },
): Promise<HttpReport> {
  const url = URL.parse(options.url);
  const own = url?.protocol === 'http:' && isLoopback(url.hostname.replace(/^\[|\]$/g, ''));
  if (!url || !own) throw usageError('--url is a gateway on this machine: http://127.0.0.1:8091');
  const { time } = (await asked.client.get('/status')) as { time?: { scale?: number } };
  const { runOverHttp } = await import('../sim/run-http.ts');
  let told = 0;
  return runOverHttp(world, {
    seed: options.seed,
    hours: options.hours,
    url: url.origin,
    admin: asked.client,
    fetch: context.fetch,
    time_scale: time?.scale ?? 1,
    latency_scale: latencyScale(asked),
    concurrency: CONCURRENCY,
    onProgress(share) {
      if (share - told < 0.1 && share < 1) return;
      told = share;
      context.warn(`${world.name}: ${(100 * share).toFixed(0)} %`);
    },
  });
}

function latencyScale(asked: Asked): number {
  const scale = flagNumber(asked, 'latency-scale') ?? LATENCY_SCALE;
  if (scale > 0 && scale <= 10_000) return scale;
  throw usageError('--latency-scale is a number above 0, at most 10000');
}

export function httpText(report: HttpReport): string {
  const { world, seed, hours, visits, calls, feedback, satisfied, errors, unreachable } = report;
  const share = ((100 * satisfied) / Math.max(1, visits)).toFixed(1);
  return [
    `World ${world}, seed ${seed}, over HTTP: ${hours} hours, ${visits} visits, ${calls} calls, ` +
      `${feedback} ratings; ${share} % satisfied, ${errors} errors, ${unreachable} unreachable.`,
    ...report.findings.map(
      ({ day, judged, level, metric, agent, target }) =>
        `day ${day.toFixed(2)}: ${judged}, ${level}: ${metric} of ${target ?? agent}`,
    ),
    ...report.changes.map(
      ({ type, agent, patch, state }) => `${type} ${agent} ${JSON.stringify(patch)}: ${state}`,
    ),
  ].join('\n');
}
