import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { type RunningGateway, startGateway } from '../gateway/gateway-kit.ts';
import { makeSnapshot, type SnapshotSpec } from '../gateway/snapshot.ts';
import { askRaw, type RawAnswer } from '../kit/raw-http.ts';
import { type RawReply, type RawUpstream, startRawUpstream } from '../kit/raw-upstream.ts';

/**
 * Boxes of the HTTP contract are tested over real sockets: a gateway with the real providers before
 * scripted upstreams that record each request as it came.
 */
export const CHAT = '/v1/chat/completions';

/** A gateway for one test, before the given targets. */
export function serve(
  spec: SnapshotSpec,
  given: Parameters<typeof startGateway>[1] = {},
): Promise<RunningGateway> {
  return startGateway(makeSnapshot(spec), given);
}

/** No retries: what the upstream said is what the test sees. */
export const ONCE = { retry: { retries: 0, backoff_ms: [1, 5] } } as const;

/** Retries and fallbacks, without waiting. */
export const RETRYING = { retry: { retries: 2, backoff_ms: [1, 5] } } as const;

/** What a test of upstreams in bytes has: one upstream for all, a gateway for each. */
export interface RawStage {
  readonly upstream: RawUpstream;
  readonly gateway: RunningGateway;
  /** Starts the test's gateway before an upstream that replies so. */
  readonly start: (...replies: readonly RawReply[]) => Promise<void>;
}

/** Set up and taken down around the tests of the file that asks for it. */
export function rawStage(more: Partial<SnapshotSpec> = {}): RawStage {
  let upstream: RawUpstream;
  let gateway: RunningGateway;
  beforeAll(async () => {
    upstream = await startRawUpstream();
  });
  afterEach(() => gateway?.close());
  afterAll(() => upstream.close());
  return {
    get upstream() {
      return upstream;
    },
    get gateway() {
      return gateway;
    },
    async start(...replies) {
      upstream.reply(...replies);
      gateway = await serve({ targets: { main: upstream.url }, resilience: ONCE, ...more });
    },
  };
}

export function chatBody(more: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ model: 'default', messages: [{ role: 'user', content: 'hi' }], ...more });
}

export function askChat(
  port: number,
  body: string = chatBody(),
  headers: Readonly<Record<string, string>> = {},
): Promise<RawAnswer> {
  return askRaw(port, {
    path: CHAT,
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
}

/** OpenAI's error object: all four keys, each of its type. */
export function expectOpenAiError(answer: { json: () => unknown }): {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
} {
  const body = answer.json() as { error: Record<string, unknown> };
  const { error } = body;
  expect(Object.keys(body)).toEqual(['error']);
  expect(Object.keys(error).sort()).toEqual(['code', 'message', 'param', 'type']);
  expect(typeof error.message).toBe('string');
  expect(error.message).not.toBe('');
  expect(typeof error.type).toBe('string');
  expect(error.param === null || typeof error.param === 'string').toBe(true);
  expect(error.code === null || typeof error.code === 'string').toBe(true);
  return error as never;
}

/** The data of each event of a stream, in order. */
export function dataOf(body: Buffer | string): string[] {
  return body
    .toString()
    .split('\n\n')
    .filter((event) => event !== '')
    .flatMap((event) => {
      const lines = event.split('\n').filter((line) => line.startsWith('data:'));
      return lines.length === 0 ? [] : [lines.map((line) => line.slice(5).trimStart()).join('\n')];
    });
}

interface ChatChunk {
  readonly id?: string;
  readonly created?: number;
  readonly object?: string;
  readonly model?: string;
  readonly usage?: Readonly<Record<string, unknown>> | null;
  readonly choices?: readonly {
    readonly delta: Readonly<Record<string, unknown>>;
    readonly finish_reason: string | null;
  }[];
  readonly error?: Readonly<Record<string, unknown>>;
}

/** The chunks of a chat stream without its end. */
export function chunksOf(body: Buffer | string): ChatChunk[] {
  return dataOf(body)
    .filter((data) => data !== '[DONE]')
    .map((data) => JSON.parse(data) as ChatChunk);
}

export function textOf(body: Buffer | string): string {
  return chunksOf(body)
    .map((chunk) => contentOf(chunk))
    .join('');
}

/** The text that a chunk of chat adds. */
export function contentOf({ choices }: ChatChunk): string {
  const content = choices?.[0]?.delta.content;
  return typeof content === 'string' ? content : '';
}
