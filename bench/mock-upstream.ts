import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * The upstream of the benchmarks: answers at once from prepared bytes, whole or as server-sent
 * events, so that what is measured is the way there. Its own process, which ends with its parent.
 */

const WORDS = 'The quick brown fox jumps over the lazy dog and runs into the green wood. ';
const TEXT = WORDS.repeat(9).trim();
const CHUNKS = 16;
const BASE = { id: 'chatcmpl-bench', created: 1_700_000_000, model: 'mock-1' };
const USAGE = { prompt_tokens: 20, completion_tokens: 140, total_tokens: 160 };

const whole = Buffer.from(
  JSON.stringify({
    ...BASE,
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', content: TEXT }, finish_reason: 'stop' }],
    usage: USAGE,
  }),
);

function event(choices: readonly object[], more: object = {}): Buffer {
  const chunk = { ...BASE, object: 'chat.completion.chunk', choices, ...more };
  return Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`);
}

const size = Math.ceil(TEXT.length / CHUNKS);
const content = Array.from({ length: CHUNKS }, (_, index) =>
  event([
    {
      index: 0,
      delta: { content: TEXT.slice(index * size, (index + 1) * size) },
      finish_reason: null,
    },
  ]),
);
const finish = event([{ index: 0, delta: {}, finish_reason: 'stop' }]);
const usage = event([], { usage: USAGE });
const done = Buffer.from('data: [DONE]\n\n');

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const body = Buffer.concat(parts);
    if (!body.includes('"stream":true')) {
      const headers = { 'content-type': 'application/json', 'content-length': whole.length };
      response.writeHead(200, headers).end(whole);
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const one of content) response.write(one);
    response.write(finish);
    if (body.includes('"include_usage":true')) response.write(usage);
    response.end(done);
  });
});

server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  if (process.send) process.send({ port });
  else process.stdout.write(`mock upstream on http://127.0.0.1:${port}/v1\n`);
});
process.on('disconnect', () => process.exit(0));
