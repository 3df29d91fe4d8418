import { connect } from 'node:net';
import { parseAnswer, type RawAnswer } from '../kit/raw-http.ts';

export interface FuzzOptions {
  readonly port: number;
  readonly seed: number;
  readonly count: number;
  readonly lanes: number;
  /** Told every so many cases, for a run of minutes. */
  progress?(done: number, report: FuzzReport): void;
}

export interface FuzzReport {
  /** How many answers had each status; `closed` where there was none and none was owed. */
  readonly statuses: Record<string, number>;
  /** What went wrong, with the case's number: empty where all is well. */
  readonly problems: string[];
}

export const PROGRESS_EVERY = 5000;
/** Enough to see what is wrong. */
const PROBLEMS_MAX = 10;

/** Runs cases in a few lanes at once; stops early once there is plenty to mend. */
export async function runCases(
  options: FuzzOptions,
  one: (index: number) => Promise<{ readonly status: string; readonly problem: string | null }>,
): Promise<FuzzReport> {
  const report: FuzzReport = { statuses: {}, problems: [] };
  let next = 0;
  let done = 0;
  const lane = async (): Promise<void> => {
    while (next < options.count && report.problems.length < PROBLEMS_MAX) {
      const index = next;
      next += 1;
      const { status, problem } = await one(index);
      report.statuses[status] = (report.statuses[status] ?? 0) + 1;
      if (problem) report.problems.push(`case ${index} of seed ${options.seed}: ${problem}`);
      done += 1;
      if (done % PROGRESS_EVERY === 0) options.progress?.(done, report);
    }
  };
  await Promise.all(Array.from({ length: options.lanes }, lane));
  return report;
}

export type Exchanged = RawAnswer | 'closed' | 'hang';

/**
 * Sends bytes and reads to the end of the connection. Without `owed` the sender hangs up its own
 * half, as a client does that has been cut off.
 */
export function exchange(
  port: number,
  bytes: Buffer,
  { owed, deadline_ms }: { readonly owed: boolean; readonly deadline_ms: number },
): Promise<Exchanged> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const timer = setTimeout(() => {
      socket.destroy();
      resolve('hang');
    }, deadline_ms);
    socket.on('data', (part: Buffer) => parts.push(part)).on('error', () => {});
    socket.once('close', () => {
      clearTimeout(timer);
      const got = withoutInterim(Buffer.concat(parts));
      resolve(got.includes('\r\n\r\n') ? parseAnswer(got) : 'closed');
    });
    if (owed) socket.write(bytes);
    else socket.end(bytes);
  });
}

function withoutInterim(bytes: Buffer): Buffer {
  const end = bytes.indexOf('\r\n\r\n');
  return end > 0 && bytes.toString('latin1', 0, 10) === 'HTTP/1.1 1'
    ? withoutInterim(bytes.subarray(end + 4))
    : bytes;
}

/** What is wrong with an error that a client of `/v1` got, or null. */
export function errorProblem(answer: RawAnswer, anthropic: boolean): string | null {
  const text = answer.body.toString().slice(0, 500);
  let body: { type?: unknown; error?: { message?: unknown; code?: unknown } };
  try {
    body = answer.json() as typeof body;
  } catch {
    return `an error that is no JSON: ${text}`;
  }
  if (typeof body.error?.message !== 'string') return `an error in no shape: ${text}`;
  if (anthropic !== (body.type === 'error')) return `an error in a foreign shape: ${text}`;
  return /^(internal|plugin_failed)$/.test(String(body.error.code)) || isOurs(body.error.message)
    ? `an error of our own: ${text}`
    : null;
}

function isOurs(message: string): boolean {
  return message === 'The gateway failed on this call.';
}
