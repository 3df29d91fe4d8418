import { requestBytes } from '../kit/raw-http.ts';
import { createChance, seedOf } from './chance.ts';
import { type FuzzedAnswer, fuzzAnswer } from './fuzz-answer.ts';
import { type Exchanged, errorProblem, exchange, type FuzzOptions, runCases } from './run.ts';

/** A way to ask: the client's route, and the target whose dialect answers. */
export interface Way {
  readonly path: string;
  readonly target: string;
}

const DEADLINE_MS = 15_000;

/** What the upstream does in a case: the same for the case's number, whoever asks. */
export function answerOf(seed: number, number: number, path: string, streamed: boolean) {
  return fuzzAnswer(createChance(seedOf(seed, number)), path, streamed);
}

/** Asks good questions of an upstream that answers them badly. */
export function fuzzAnswers(options: FuzzOptions & { readonly ways: readonly Way[] }) {
  const { ways, seed, port } = options;
  return runCases(options, async (index) => {
    const way = ways[index % ways.length] as Way;
    const stream = Math.floor(index / ways.length) % 4 !== 0;
    const body = JSON.stringify(bodyFor(way, index, stream));
    const bytes = requestBytes({ path: way.path, body });
    const got = await exchange(port, bytes, { owed: true, deadline_ms: DEADLINE_MS });
    const answer = answerOf(seed, index, upstreamPath(way), stream);
    const said = () => shown(answer);
    const problem = problemOf(way, stream, got) ?? lossOf(answer, got);
    const status = typeof got === 'string' ? got : String(got.status);
    return { status, problem: problem && `${way.path} ${way.target}: ${problem}\n${said()}` };
  });
}

function bodyFor({ path, target }: Way, index: number, stream: boolean): object {
  const asked = { model: target, stream };
  const content = `case:${index}`;
  if (path.endsWith('/responses')) return { ...asked, input: content };
  return { ...asked, max_tokens: 50, messages: [{ role: 'user', content }] };
}

function upstreamPath({ path, target }: Way): string {
  if (path.endsWith('/responses')) return path;
  return target.includes('anthropic') ? '/v1/messages' : '/v1/chat/completions';
}

function problemOf(way: Way, stream: boolean, got: Exchanged): string | null {
  if (got === 'hang') return 'no answer and no end';
  if (got === 'closed') return 'closed without an answer';
  if (!got.whole) return 'an answer that is cut off';
  const anthropic = way.path.startsWith('/v1/messages');
  if (got.status > 299) return errorProblem(got, anthropic);
  const text = got.body.toString('utf8');
  if (!stream) return wholeProblem(text);
  return streamProblem(text.replaceAll(/\r\n?/g, '\n'), way.path);
}

/** A good answer that did not arrive is a fault of ours. */
function lossOf({ good }: FuzzedAnswer, got: Exchanged): string | null {
  if (!good || typeof got === 'string') return null;
  const text = got.body.toString('utf8');
  return got.status === 200 && !/"error":\s*\{/.test(text) ? null : `a good answer, lost: ${text}`;
}

function wholeProblem(text: string): string | null {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? null : `an answer that is none: ${text}`;
  } catch {
    return `an answer that is no JSON: ${text.slice(0, 300)}`;
  }
}

/** How a stream of each route ends well; an error event is the only other end. */
const ENDS: Readonly<Record<string, RegExp>> = {
  '/v1/chat/completions': /^\[DONE\]$/,
  '/v1/messages': /"type":\s*"message_stop"/,
  // By its type, or by the state of the response that it carries.
  '/v1/responses': /"type":\s*"response\.(completed|incomplete|failed)"|"status":\s*"completed"/,
};

const PING = /^\{\s*"type":\s*"ping"\s*\}$/;

function streamProblem(text: string, path: string): string | null {
  const data = text.split('\n\n').flatMap((event) => {
    const lines = event.split('\n').filter((line) => /^data(:|$)/.test(line));
    return lines.length === 0 ? [] : [lines.map((line) => line.slice(5).trim()).join('\n')];
  });
  const bad = data.find((one) => one !== '[DONE]' && one !== '' && !isJson(one));
  if (bad !== undefined) return `an event that is no JSON: ${bad.slice(0, 300)}`;
  const said = data.filter((one) => one !== '' && !PING.test(one));
  const last = said.at(-1) ?? '';
  const failed = /"error":\s*[{"]|"type":\s*"error"/.test(last);
  // Behind an end that only a response's state tells of, an upstream may still say something.
  const ends = path === '/v1/responses' ? said : [last];
  const ended = ends.some((one) => (ENDS[path] as RegExp).test(one));
  if (!failed && !ended) return `a stream that ends in neither way: ${text.slice(-500)}`;
  return null;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function shown({ parts, end }: FuzzedAnswer): string {
  return `${end} after ${JSON.stringify(Buffer.concat(parts).subarray(0, 1200).toString())}`;
}
