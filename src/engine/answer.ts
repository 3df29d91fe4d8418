import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Json, JsonObject } from '../core/canonical.ts';
import type { ChatRequest } from './chat-request.ts';
import { toEngineError } from './engine-error.ts';
import type { Answered, AnswerSink, ServedModel } from './served-model.ts';

/** What makes an answer's identity; given, so that tests can foresee it. */
export interface AnswerHead {
  readonly id: string;
  readonly created_s: number;
}

/** The whole answer as one JSON. Throws what the model throws: nothing was sent then. */
export async function answerWhole(
  model: ServedModel,
  request: ChatRequest,
  response: ServerResponse,
  head: AnswerHead,
  signal: AbortSignal,
): Promise<void> {
  let content = '';
  const answered = await model.answer(request, signal, {
    start() {},
    text(text) {
      content += text;
    },
  });
  const message = { role: 'assistant', content, refusal: null };
  sendJson(response, 200, {
    ...completion(request, head, 'chat.completion'),
    choices: [{ index: 0, message, logprobs: null, finish_reason: answered.finish }],
    usage: usageOf(answered),
  });
}

/**
 * The answer as server-sent events: the role, the text as it comes, the finish, the usage where
 * asked for, `[DONE]`. What fails before the first event is thrown; after it, an error event ends
 * the stream without `[DONE]`, for a silent end would read as success.
 */
export async function answerStream(
  model: ServedModel,
  request: ChatRequest,
  response: ServerResponse,
  head: AnswerHead,
  signal: AbortSignal,
): Promise<void> {
  const chunk: JsonObject = {
    ...completion(request, head, 'chat.completion.chunk'),
    ...(request.include_usage ? { usage: null } : {}),
  };
  const send = (delta: JsonObject, finish_reason: string | null) =>
    writeEvent(
      response,
      { ...chunk, choices: [{ index: 0, delta, logprobs: null, finish_reason }] },
      signal,
    );
  const sink: AnswerSink = {
    start() {
      response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache',
      });
      return send({ role: 'assistant', content: '' }, null);
    },
    text: (content) => send({ content }, null),
  };
  try {
    const answered = await model.answer(request, signal, sink);
    await send({}, answered.finish);
    if (request.include_usage) {
      await writeEvent(response, { ...chunk, choices: [], usage: usageOf(answered) }, signal);
    }
    response.end('data: [DONE]\n\n');
  } catch (thrown) {
    if (!response.headersSent || signal.aborted) throw thrown;
    response.end(`data: ${JSON.stringify(toEngineError(thrown).body)}\n\n`);
  }
}

/** `model` is what was asked for and did answer: the proof that an adapter was applied. */
function completion(request: ChatRequest, head: AnswerHead, object: string): JsonObject {
  return { id: head.id, object, created: head.created_s, model: request.model };
}

function usageOf(answered: Answered): JsonObject {
  return {
    prompt_tokens: answered.prompt_tokens,
    completion_tokens: answered.tokens,
    total_tokens: answered.prompt_tokens + answered.tokens,
  };
}

/** Waits for a slow reader: what it has not read must not pile up here. */
async function writeEvent(
  response: ServerResponse,
  data: Json,
  signal: AbortSignal,
): Promise<void> {
  if (response.write(`data: ${JSON.stringify(data)}\n\n`)) return;
  await once(response, 'drain', { signal });
}

export function sendJson(response: ServerResponse, status: number, body: JsonObject): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
