import { createChance, seedOf } from './chance.ts';
import { type FuzzedRequest, fuzzRequest } from './fuzz-request.ts';
import { type Exchanged, errorProblem, exchange, type FuzzOptions, runCases } from './run.ts';

const DEADLINE_MS = 15_000;

/** Sends fuzzed requests: no crash, no hang, and no 5xx, since the upstream is well. */
export function fuzzRequests(options: FuzzOptions) {
  return runCases(options, async (index) => {
    const request = fuzzRequest(createChance(seedOf(options.seed, index)));
    const got = await exchange(options.port, request.bytes, {
      owed: request.owed,
      deadline_ms: DEADLINE_MS,
    });
    const status = typeof got === 'string' ? got : String(got.status);
    const problem = problemOf(request, got);
    return { status, problem: problem && `${problem}\n${shown(request)}` };
  });
}

function problemOf(request: FuzzedRequest, got: Exchanged): string | null {
  if (got === 'hang') return 'no answer and no end';
  if (got === 'closed') return request.owed ? 'closed without an answer' : null;
  if (!(got.status >= 200 && got.status < 500)) {
    return `status ${got.status}: ${got.body.toString().slice(0, 300)}`;
  }
  if (!request.owed || request.method === 'HEAD') return null;
  if (!got.whole) return 'an answer that is cut off';
  if (got.status < 400 || !/^\/v1\/[a-z/_]+$/.test(request.path)) return null;
  // What Node cannot parse has no path yet, so nobody can know the caller's dialect.
  const parsed = got.header('openai-processing-ms') !== null;
  // The models, and what there is not, are routes of both dialects.
  const both = request.path.startsWith('/v1/models') || request.path.endsWith('/');
  if (!parsed || both) return null;
  return errorProblem(got, request.path.startsWith('/v1/messages'));
}

function shown({ bytes }: FuzzedRequest): string {
  return JSON.stringify(bytes.subarray(0, 800).toString('latin1'));
}
