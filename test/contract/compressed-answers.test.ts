import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Transform } from 'node:stream';
import {
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createDeflate,
  createGzip,
  createZstdCompress,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ask, type RunningGateway } from '../gateway/gateway-kit.ts';
import { askRaw, openRaw, requestBytes } from '../kit/raw-http.ts';
import { answer, type Behaviour, startUpstream, type Upstream } from '../kit/upstream.ts';
import {
  askChat,
  CHAT,
  chatBody,
  dataOf,
  expectOpenAiError,
  ONCE,
  RETRYING,
  serve,
} from './contract-kit.ts';

/** Hosts and proxies pack answers though we ask for them as they are. */
let upstream: Upstream;
let other: Upstream;
let gateway: RunningGateway;
beforeAll(async () => {
  [upstream, other] = await Promise.all([startUpstream(), startUpstream(answer('other'))]);
});
afterEach(() => gateway.close());
afterAll(() => Promise.all([upstream.close(), other.close()]));

const start = async (script: Behaviour, more: Partial<Parameters<typeof serve>[0]> = {}) => {
  upstream.script(script);
  gateway = await serve({ targets: { main: upstream.url }, resilience: ONCE, ...more });
};

interface Packer {
  readonly sync: (bytes: Buffer) => Buffer;
  readonly stream: () => Transform;
  readonly flush: number;
}

const PACKERS: Readonly<Record<string, Packer>> = {
  gzip: { sync: gzipSync, stream: createGzip, flush: constants.Z_SYNC_FLUSH },
  deflate: { sync: deflateSync, stream: createDeflate, flush: constants.Z_SYNC_FLUSH },
  br: {
    sync: brotliCompressSync,
    stream: createBrotliCompress,
    flush: constants.BROTLI_OPERATION_FLUSH,
  },
  zstd: { sync: zstdCompressSync, stream: createZstdCompress, flush: constants.ZSTD_e_flush },
};
const CODINGS = Object.keys(PACKERS);

const COMPLETION = JSON.stringify({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: 'grüße' }, finish_reason: 'stop' }],
});

/** A whole answer, packed; `cut` bytes of it are missing, though no length says so. */
const packed =
  (coding: string, text: string, { status = 200, cut = 0, headers = {} } = {}): Behaviour =>
  ({ response }) => {
    const bytes = (PACKERS[coding] as Packer).sync(Buffer.from(text));
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-encoding': coding,
      ...headers,
    });
    response.end(bytes.subarray(0, bytes.length - cut));
  };

const chunk = (content: string, finish: string | null = null): string =>
  `data: ${JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta: { content }, finish_reason: finish }],
  })}\n\n`;

/** A stream through a packer that is flushed after each event, as proxies do. */
const packedStream = (coding: string, play: (line: Line) => Promise<void>): Behaviour => {
  return async ({ response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': coding });
    const { stream, flush } = PACKERS[coding] as Packer;
    const packer = stream() as Transform & { flush(kind: number, done: () => void): void };
    packer.pipe(response);
    const say = async (text: string): Promise<void> => {
      packer.write(text);
      await new Promise<void>((resolve) => packer.flush(flush, resolve));
    };
    const end = () => packer.end();
    await play({ say, end, response });
  };
};

interface Line {
  readonly say: (text: string) => Promise<void>;
  readonly end: () => void;
  readonly response: ServerResponse;
}

describe.each(CODINGS)('an answer packed as %s', (coding) => {
  test('reaches the client as it was before', async () => {
    await start(packed(coding, COMPLETION));
    const got = await askChat(gateway.port, chatBody(), { 'accept-encoding': 'gzip, br' });
    expect([got.status, got.body.toString()]).toEqual([200, COMPLETION]);
    expect(got.header('content-encoding')).toBeNull();
    expect(got.header('content-length')).toBe(String(Buffer.byteLength(COMPLETION)));
    expect(upstream.calls.at(-1)?.headers['accept-encoding']).toBe('identity');
  });

  test('is an error in the provider’s words where it is one', async () => {
    const error = { message: 'slow down', type: 'rate_limit_error', param: null, code: 'limit' };
    const headers = { 'retry-after': '7' };
    await start(packed(coding, JSON.stringify({ error }), { status: 429, headers }));
    const got = await askChat(gateway.port);
    expect([got.status, got.header('retry-after')]).toEqual([429, '7']);
    expect(expectOpenAiError(got)).toEqual(error);
  });

  test('streams: each event comes out when it came in', async () => {
    const heard = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    await start(
      packedStream(coding, async ({ say, end }) => {
        await say(chunk('one '));
        await heard[0].promise;
        await say(chunk('two'));
        await heard[1].promise;
        await say(`${chunk('', 'stop')}data: [DONE]\n\n`);
        end();
      }),
    );
    const pieces: string[] = [];
    const events = await gateway.client.chat.completions.create({ ...ask(), stream: true });
    for await (const event of events) {
      const piece = event.choices[0]?.delta.content;
      if (!piece) continue;
      pieces.push(piece);
      // The upstream says no more until the client has read this.
      heard[pieces.length - 1]?.resolve();
    }
    expect(pieces).toEqual(['one ', 'two']);
    expect((await gateway.event()).outcome).toBe('ok');
  });

  test('that is cut is no answer, and another may be asked', async () => {
    await start(packed(coding, COMPLETION, { cut: 3 }));
    const got = await askChat(gateway.port);
    expect([got.status, expectOpenAiError(got).code]).toEqual([502, 'upstream_cut']);
    await gateway.close();
    gateway = await serve({
      targets: { main: upstream.url, other: other.url },
      resilience: RETRYING,
    });
    const retried = await askChat(gateway.port);
    expect([retried.status, retried.header('x-hive-target')]).toEqual([200, 'other']);
  });

  test('that is cut amid its stream gives what came, an error and no [DONE]', async () => {
    await start(
      packedStream(coding, async ({ say, response }) => {
        await say(chunk('one '));
        await say(chunk('two'));
        response.end();
      }),
    );
    const got = await askChat(gateway.port, chatBody({ stream: true }));
    const data = dataOf(got.body);
    expect(data).toHaveLength(3);
    expect(data[1]).toContain('two');
    expect(JSON.parse(data[2] ?? '')).toMatchObject({ error: { code: 'upstream_cut' } });
  });
});

describe('a packed answer', () => {
  test.each([
    ['in two codings', 'gzip, br'],
    ['in one that nobody knows', 'compress'],
    ['as it is, but said to be packed', 'gzip'],
  ])('is refused %s', async (_how, coding) => {
    await start(({ response }) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': coding });
      response.end(COMPLETION);
    });
    const got = await askChat(gateway.port);
    expect([got.status, expectOpenAiError(got).code]).toEqual([502, 'upstream_error']);
    expect(got.body.toString()).not.toContain('chatcmpl');
  });

  test('that says it is packed and has no body is judged by its status', async () => {
    await start(
      ({ response }) => void response.writeHead(429, { 'content-encoding': 'gzip' }).end(),
    );
    expect((await askChat(gateway.port)).status).toBe(429);
  });

  test('of Anthropic’s is unpacked before it is translated', async () => {
    await start(packed('br', COMPLETION));
    const got = await askRaw(gateway.port, {
      path: '/v1/messages',
      body: chatBody({ max_tokens: 5 }),
    });
    expect(got.json()).toMatchObject({ content: [{ type: 'text', text: 'grüße' }] });
  });

  test('that unpacks to far too much ends at the limit, its connection too', async () => {
    // Each member unpacks to 16 MiB: 160 MB in all were they all read.
    const member = gzipSync(Buffer.alloc(16 * 1024 * 1024, ' '));
    let sent = 0;
    const closed = Promise.withResolvers<void>();
    await start(async ({ response }) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      response.on('close', () => closed.resolve());
      for (; sent < 10 && !response.destroyed; sent += 1) {
        if (!response.write(member)) await Promise.race([once(response, 'drain'), closed.promise]);
      }
      response.end();
    });
    const got = await askChat(gateway.port);
    expect(got.status).toBe(502);
    expect(expectOpenAiError(got).message).toContain('too large');
    await closed.promise;
  });

  test('whose stream nobody reads is not unpacked ahead', async () => {
    // 40 MB of events in 200 KB.
    const events = gzipSync(chunk('x'.repeat(2000)).repeat(20_000));
    const script: Behaviour = ({ response }) => {
      response.writeHead(200, {
        'content-type': 'text/event-stream',
        'content-encoding': 'gzip',
      });
      response.end(events);
    };
    upstream.script(script);
    const limits = { stall_ms: 150 };
    gateway = await serve({ targets: { main: upstream.url }, resilience: ONCE }, { limits });
    const request = {
      path: CHAT,
      headers: { 'content-type': 'application/json' },
      body: chatBody({ stream: true }),
    };
    const client = await openRaw(gateway.port, requestBytes(request));
    await client.saw('chunk');
    client.socket.pause();
    // Once the sockets are full it waits, until the client is taken for gone.
    const { outcome, tokens } = await gateway.event();
    expect([outcome, tokens.estimated]).toEqual(['aborted', true]);
    // A piece each: of 20,000.
    expect(tokens.out).toBeLessThan(15_000);
  });
});
