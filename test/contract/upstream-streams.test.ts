import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytes, slices } from '../kit/raw-upstream.ts';
import { askChat, chatBody, chunksOf, dataOf, rawStage, textOf } from './contract-kit.ts';

const stage = rawStage();
const { start } = stage;
const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n';
const streamOf = (text: string, head = HEAD): Buffer => Buffer.from(head + text);
const ask = (more: Readonly<Record<string, unknown>> = {}) =>
  askChat(stage.gateway.port, chatBody({ stream: true, ...more }));

interface Choice {
  readonly index?: number;
  readonly text?: string;
  readonly finish?: string | null;
  readonly delta?: object;
}
const chunk = (choices: readonly Choice[], more: object = {}): string =>
  JSON.stringify({
    id: 'c',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: choices.map(({ index = 0, text, finish = null, delta }) => ({
      index,
      delta: delta ?? (text === undefined ? {} : { content: text }),
      finish_reason: finish,
    })),
    ...more,
  });
const events = (...data: readonly string[]): string =>
  data.map((one) => `data: ${one}\n\n`).join('');
const DONE = '[DONE]';
const errorIn = (body: Buffer): boolean => chunksOf(body).some(({ error }) => error !== undefined);

describe('4d a stream as upstreams send it', () => {
  const text = 'größe 🐝 日本 ';
  const good = [
    ': a comment\n\n',
    `data: ${chunk([{ delta: { role: 'assistant', content: '' } }])}\n\n`,
    'retry: 100\nid: 7\nevent: message\n',
    `data: ${chunk([{ text }])}\n\n`,
    'data:\n\n',
    ':\n',
    `data:${chunk([{ text }])}\n\n`,
    `data: ${chunk([{ text: 'a' }]).replace(',', ',\ndata: ')}\n\n`,
    'unknown: field\nnocolon\n\n',
    `data: ${chunk([{ finish: 'stop' }])}\n\n`,
    'data: [DONE]\n\n',
  ];

  test('is read alike with any ends of lines, cut anywhere, behind a byte order mark', async () => {
    await start();
    const ends = fc.array(fc.constantFrom('\n', '\r', '\r\n'), { minLength: 30, maxLength: 30 });
    const sizes = fc.integer({ min: 1, max: 60 });
    const run = async (kinds: string[], size: number, mark: boolean) => {
      let sent = '';
      for (const [index, line] of good.join('').split('\n').entries()) {
        if (index > 0) {
          const end = kinds[index % kinds.length] as string;
          // A CR before the LF of another line's end would be one end, not two.
          sent += end === '\n' && sent.endsWith('\r') ? '\r' : end;
        }
        sent += line;
      }
      stage.upstream.reply(slices(streamOf(`${mark ? '\ufeff' : ''}${sent}`), size, 'close'));
      const got = await ask();
      expect(textOf(got.body.toString().replaceAll(/\r\n?/g, '\n'))).toBe(`${text}${text}a`);
      expect(got.body.toString()).toMatch(/data: \[DONE\]/);
    };
    await fc.assert(fc.asyncProperty(ends, sizes, fc.boolean(), run), { numRuns: 40, seed: 7 });
  });

  test.each([
    ['without a type', HEAD.replace(/content-type.*?\r\n/, '')],
    [
      'of its type in capitals, with a set',
      HEAD.replace('text/event-stream', 'TEXT/EVENT-STREAM;charset=utf-8'),
    ],
    ['of HTTP/1.0', HEAD.replace('HTTP/1.1', 'HTTP/1.0')],
    ['after early hints', `HTTP/1.1 103 Early Hints\r\n\r\n${HEAD}`],
  ])('is passed on %s', async (_how, head) => {
    await start(bytes(streamOf(good.join(''), head), 'close'));
    const got = await ask();
    expect(got.status).toBe(200);
    expect(got.header('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(textOf(got.body)).toBe(`${text}${text}a`);
    expect(dataOf(got.body).at(-1)).toBe(DONE);
  });

  test('without a type that is JSON is an error, not a stream', async () => {
    const head = HEAD.replace(/content-type.*?\r\n/, '');
    await start(bytes(streamOf('{"error":{"message":"no"}}', head), 'close'));
    const got = await ask();
    expect(got.status).toBe(502);
  });
});

describe('4d several choices', () => {
  const begun = [chunk([{ index: 0, text: 'a' }]), chunk([{ index: 1, text: 'b' }])];
  const first = chunk([{ index: 0, finish: 'stop' }]);
  const second = chunk([{ index: 1, finish: 'stop' }]);

  test('are passed on as they come, both of them', async () => {
    await start(bytes(streamOf(events(...begun, first, second, DONE)), 'close'));
    const got = await ask({ n: 2 });
    expect(dataOf(got.body)).toEqual([...begun, first, second, DONE]);
  });

  test.each([
    [
      'one after another',
      [chunk([{ text: 'a' }]), first, chunk([{ index: 1, text: 'b' }]), second],
    ],
    ['mixed', [...begun, first, second]],
    ['the second one first', [...begun, second, first]],
    [
      'in one chunk',
      [
        chunk([{ text: 'a' }, { index: 1, text: 'b' }]),
        chunk([{ finish: 'stop' }, { index: 1, finish: 'length' }]),
      ],
    ],
  ])('are complete without [DONE] where all have finished: %s', async (_how, data) => {
    await start(bytes(streamOf(events(...data)), 'close'));
    const got = await ask({ n: 2 });
    expect(errorIn(got.body)).toBe(false);
    expect(dataOf(got.body).at(-1)).toBe(DONE);
  });

  test.each([
    ['mixed', [...begun, first, chunk([{ index: 1, text: 'more' }])]],
    ['the second one first', [...begun, second, chunk([{ text: 'more' }])]],
    ['one after another', [chunk([{ text: 'a' }]), first]],
  ])('are cut where one of them has not finished: %s', async (_how, data) => {
    await start(bytes(streamOf(events(...data)), 'close'));
    const got = await ask({ n: 2 });
    expect(errorIn(got.body)).toBe(true);
    expect(dataOf(got.body)).not.toContain(DONE);
    expect(await stage.gateway.event()).toMatchObject({
      outcome: 'error',
      attempts: [{ error: 'upstream_cut' }],
    });
  });
});

describe('4d the end of a stream', () => {
  const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
  const said = chunk([{ text: 'a' }]);
  const finished = chunk([{ finish: 'stop' }]);
  const only = chunk([], { usage });

  test('has its usage only for who asked for it, behind or within the last choice', async () => {
    for (const data of [
      [said, finished, only, DONE],
      [said, finished, only],
    ]) {
      await start(bytes(streamOf(events(...data)), 'close'));
      expect(dataOf((await ask()).body)).toEqual([said, finished, DONE]);
      stage.upstream.reply(bytes(streamOf(events(...data)), 'close'));
      const asked = await ask({ stream_options: { include_usage: true } });
      expect(dataOf(asked.body)).toEqual([said, finished, only, DONE]);
      expect((await stage.gateway.event(2)).tokens).toMatchObject({
        in: 1,
        out: 2,
        estimated: false,
      });
      await stage.gateway.close();
    }
    const within = chunk([{ finish: 'stop' }], { usage });
    await start(bytes(streamOf(events(said, within, DONE)), 'close'));
    expect(dataOf((await ask()).body)).toEqual([said, within, DONE]);
  });

  test('is no end where only usage came', async () => {
    await start(bytes(streamOf(events(said, only)), 'close'));
    const got = await ask();
    expect(errorIn(got.body)).toBe(true);
    expect(dataOf(got.body)).not.toContain(DONE);
  });

  test('ends with an upstream’s own error, and no [DONE], though it sends one', async () => {
    const error = '{"error":{"message":"overloaded","type":"server_error"}}';
    await start(bytes(streamOf(events(said, error, DONE)), 'close'));
    const got = await ask();
    expect(errorIn(got.body)).toBe(true);
    expect(dataOf(got.body)).not.toContain(DONE);
  });

  test('is an error where an event is not UTF-8, which strict clients throw on', async () => {
    const good = chunk([{ text: '\ufffd' }]);
    const bad = Buffer.from(events(chunk([{ text: 'ab' }])));
    bad[bad.indexOf('ab')] = 0xff;
    const sent = [streamOf(events(good)), bad, Buffer.from(events(finished, DONE))];
    await start(bytes(Buffer.concat(sent), 'close'));
    const got = await ask();
    expect(dataOf(got.body)[0]).toBe(good);
    expect(errorIn(got.body)).toBe(true);
    expect(dataOf(got.body)).not.toContain(DONE);
    expect(got.body.toString().match(/\ufffd/g)).toHaveLength(1);
  });

  test.each([
    [
      'tool calls',
      [
        { delta: { tool_calls: [{ index: 0, id: 't', function: { name: 'f', arguments: '' } }] } },
        {
          delta: {
            tool_calls: [{ index: 0, function: { arguments: '{"a":18446744073709551615}' } }],
          },
        },
        { finish: 'tool_calls' },
      ],
    ],
    [
      'nulls',
      [
        { delta: { role: 'assistant', content: null, tool_calls: null, refusal: null } },
        { text: 'x' },
        { finish: 'stop' },
      ],
    ],
    [
      'reasoning',
      [
        { delta: { reasoning_content: 'hm', content: null } },
        { delta: { reasoning: 'hm' } },
        { text: 'x' },
        { finish: 'stop' },
      ],
    ],
    ['lone surrogates', [{ text: '\ud83d' }, { text: '\udc1d' }, { finish: 'stop' }]],
  ] as const)('has %s as they came', async (_what, deltas) => {
    const data = [...deltas.map((one) => chunk([one as Choice])), DONE];
    await start(bytes(streamOf(events(...data)), 'close'));
    expect(dataOf((await ask()).body)).toEqual(data);
  });

  test.each([
    '{"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}],"choices":[]}',
    `{"choices":[{"index":0,"delta":{"content":"x"}}],"deep":${'['.repeat(500)}${']'.repeat(500)}}`,
    '{"choices":null}',
    '{"choices":[null]}',
    '{"choices":[{"index":0,"delta":null}]}',
    '{}',
  ])('survives a chunk such as %s', async (odd) => {
    await start(bytes(streamOf(events(said, odd, finished, DONE)), 'close'));
    expect(dataOf((await ask()).body)).toEqual([said, odd, finished, DONE]);
  });
});
