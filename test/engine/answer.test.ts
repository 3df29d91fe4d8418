import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { answerStream, answerWhole } from '../../src/engine/answer.ts';
import { type ChatRequest, parseChatRequest } from '../../src/engine/chat-request.ts';
import { badRequest } from '../../src/engine/engine-error.ts';
import type { ServedModel } from '../../src/engine/served-model.ts';

const head = { id: 'chatcmpl-1', created_s: 17 };

function request(more: object = {}): ChatRequest {
  const messages = [{ role: 'user', content: 'hi' }];
  return parseChatRequest(JSON.stringify({ model: 'echo:upper', messages, ...more }));
}

/** A model that says what it is told to. */
function model(answer: ServedModel['answer']): ServedModel {
  return { id: 'echo', adapters: ['upper'], failure: null, answer };
}

const twoParts = model(async (_request, _signal, sink) => {
  await sink.start();
  await sink.text('H');
  await sink.text('I');
  return { finish: 'stop', tokens: 2, prompt_tokens: 5 };
});

/** What a client gets over a real socket. */
async function received(write: (response: ServerResponse) => Promise<void>): Promise<string> {
  let thrown: unknown;
  const server = createServer((_request, response) => {
    write(response).catch((error: unknown) => {
      thrown = error;
      response.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return await response.text();
  } catch (error) {
    throw thrown ?? error;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const never = new AbortController().signal;
const eventsOf = (text: string) => text.trimEnd().split('\n\n');

describe('answer', () => {
  test('answer as a whole is one completion of the model that was asked for', async () => {
    const text = await received((r) => answerWhole(twoParts, request(), r, head, never));
    expect(JSON.parse(text)).toEqual({
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 17,
      model: 'echo:upper',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'HI', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
    });
  });

  test('answer as a stream has role, parts, finish, usage and the end', async () => {
    const asked = request({ stream: true, stream_options: { include_usage: true } });
    const text = await received((r) => answerStream(twoParts, asked, r, head, never));
    const events = eventsOf(text).map((event) => event.replace('data: ', ''));
    expect(events.pop()).toBe('[DONE]');
    const chunks = events.map((event) => JSON.parse(event));
    expect(chunks.map((chunk) => chunk.choices[0]?.delta)).toEqual([
      { role: 'assistant', content: '' },
      { content: 'H' },
      { content: 'I' },
      {},
      undefined,
    ]);
    expect(chunks.map(({ usage }) => usage?.total_tokens ?? usage)).toEqual([
      null,
      null,
      null,
      null,
      7,
    ]);
    expect(chunks[3].choices[0].finish_reason).toBe('stop');
  });

  test('answer that is refused before it begins has sent nothing', async () => {
    const refusing = model(() => Promise.reject(badRequest('too long', 'messages')));
    const asked = request({ stream: true });
    await expect(
      received((r) => answerStream(refusing, asked, r, head, never)),
    ).rejects.toMatchObject({ status: 400, message: 'too long' });
  });

  test('answer that fails amid its stream ends with an error event and no [DONE]', async () => {
    const failing = model(async (_request, _signal, sink) => {
      await sink.start();
      throw new Error('out of memory');
    });
    const text = await received((r) =>
      answerStream(failing, request({ stream: true }), r, head, never),
    );
    expect(eventsOf(text).at(-1)).toContain('"code":"engine_failed"');
    expect(text).not.toContain('[DONE]');
    expect(text).not.toContain('out of memory');
  });
});
