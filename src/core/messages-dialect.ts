import { baseUrlOf } from './base-url.ts';
import { bufferOf } from './buffer-of.ts';
import type { Note, Tokens } from './call.ts';
import type { Json, JsonObject } from './canonical.ts';
import { NO_FACTS, readAnswer, spent } from './decoded.ts';
import { parseExactBytes } from './exact-json.ts';
import { fittingFields } from './fitting-fields.ts';
import { isObject, objectsIn, textIn } from './json-values.ts';
import { MessagesReader } from './messages-events.ts';
import { patchedBody } from './patched-body.ts';
import type {
  AnswerFacts,
  DecodedAnswer,
  Provider,
  ProviderRequest,
  StreamDecoder,
  UpstreamAnswer,
  UpstreamRequest,
} from './provider.ts';
import { saidInMessage } from './signals/said-in.ts';
import { spliceBody } from './splice.ts';
import { lostOfMessages } from './translate/answer-notes.ts';
import { messagesAnswerToChat } from './translate/answers.ts';
import { chatToMessages } from './translate/chat-request.ts';
import { MessagesToChatStream } from './translate/messages-stream.ts';
import {
  asksToThink,
  isAdaptive,
  mayThink,
  takesBoth,
  takesSampling,
  WITHOUT_THINKING,
} from './translate/thinking.ts';
import { tokensOfMessages } from './translate/usage.ts';
import { finishOf } from './translate/words.ts';
import { brokenAnswer } from './upstream-failure.ts';

/**
 * The version that translated calls are made in, and those of clients that name none: it still
 * takes sampling parameters, which newer ones refuse.
 */
export const MESSAGES_VERSION = '2023-06-01';

export interface MessagesUpstream {
  readonly base_url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Anthropic's messages: bodies go as the client wrote them; chat completions are translated. */
export function encodeMessages(
  request: ProviderRequest,
  upstream: MessagesUpstream,
): UpstreamRequest {
  const { call } = request;
  const native = call.endpoint !== 'chat.completions';
  const { body, notes, recall } = native ? nativeBody(request) : translatedBody(request);
  const path = call.endpoint === 'messages.count_tokens' ? '/messages/count_tokens' : '/messages';
  return {
    method: 'POST',
    path: `${baseUrlOf(upstream.base_url).path}${path}`,
    headers: {
      'content-type': 'application/json',
      accept: call.stream ? 'text/event-stream' : 'application/json',
      'accept-encoding': 'identity',
      'anthropic-version': MESSAGES_VERSION,
      ...(native ? relayedOf(request) : {}),
      ...upstream.headers,
    },
    body,
    ...(notes.length > 0 ? { notes } : {}),
    recall,
  };
}

type Body = Pick<UpstreamRequest, 'body' | 'recall'> & Required<Pick<UpstreamRequest, 'notes'>>;

const RELAYED = ['anthropic-version', 'anthropic-beta'];

function relayedOf({ call }: ProviderRequest): Readonly<Record<string, string>> {
  const given = Object.entries(call.relayed ?? {});
  return Object.fromEntries(given.filter(([name]) => RELAYED.includes(name)));
}

function translatedBody(request: ProviderRequest): Body {
  const { body, ...rest } = chatToMessages(patchedBody(request), request.model);
  return { body: Buffer.from(JSON.stringify(body)), ...rest };
}

/** How a translation of ours marks thinking that no provider signed. */
const UNSIGNED = /"signature"\s*:\s*""/;

const SAMPLING = ['temperature', 'top_p', 'top_k'];

/** Whether a sampling parameter that the client did not send would be refused. */
function refusesDefault({ call, patch, model }: ProviderRequest, field: string): boolean {
  if (!SAMPLING.includes(field)) return false;
  const { body, relayed } = call;
  // Newer versions take none of them, nor do newer models, nor does a model that is to think.
  if ((relayed?.['anthropic-version'] ?? MESSAGES_VERSION) !== MESSAGES_VERSION) return true;
  if (!takesSampling(model)) return true;
  if (asksToThink(body)) return true;
  if (takesBoth(model)) return false;
  if (field === 'temperature') return body.top_p !== undefined;
  return field === 'top_p' && (body.temperature ?? patch.temperature) !== undefined;
}

function nativeBody(request: ProviderRequest): Body {
  const { call, model } = request;
  const fitting = fittingFields(request.patch, call.body, (field) =>
    refusesDefault(request, field),
  );
  const { patch } = fitting;
  const raw = bufferOf(call.raw);
  if (raw.includes('"signature"') && UNSIGNED.test(raw.toString('utf8'))) {
    const body = patchedBody({ call, patch: { ...patch, model } });
    const messages = withoutUnsigned(body.messages);
    const reason = 'unsigned: the provider does not take it back';
    const notes: Note[] = [...fitting.notes, { subject: 'messages.thinking', reason }];
    const sent: Record<string, Json> = { ...body, messages };
    if (asksToThink(body) && !isAdaptive(model) && !mayThink(objectsIn(messages))) {
      delete sent.thinking;
      notes.push({ subject: 'thinking', reason: WITHOUT_THINKING });
    }
    return { body: Buffer.from(JSON.stringify(sent)), notes };
  }
  return { body: spliceBody(call.raw, { ...patch, model }, call.body), notes: fitting.notes };
}

/** A conversation that another provider answered before has thinking that this one would refuse. */
function withoutUnsigned(messages: Json | undefined): Json {
  const turns = Array.isArray(messages) ? (messages as readonly Json[]) : [];
  return turns.flatMap((turn) => {
    if (!isObject(turn) || !Array.isArray(turn.content)) return [turn];
    const blocks = turn.content as readonly Json[];
    const signed = blocks.filter(
      (block) => !isObject(block) || block.type !== 'thinking' || block.signature !== '',
    );
    // A turn that says nothing any more would be refused.
    return signed.length === 0 && blocks.length > 0 ? [] : [{ ...turn, content: signed }];
  });
}

export function decodeMessages(answer: UpstreamAnswer): DecodedAnswer {
  const read = readAnswer(answer, tokensOf);
  if (!('body' in read)) return read;
  const { body } = read;
  if (answer.endpoint === 'messages.count_tokens') {
    return { ok: true, body: answer.body, facts: NO_FACTS };
  }
  if (!Array.isArray(body.content)) {
    const error = brokenAnswer('The upstream’s answer has no content.');
    return { ok: false, error, ...spent(tokensOf(body.usage)) };
  }
  const facts = factsOf(body);
  if (answer.endpoint === 'messages') return { ok: true, body: answer.body, facts };
  const exact = parseExactBytes(answer.body) as JsonObject;
  const chat = messagesAnswerToChat(exact, answer);
  const notes = lostOfMessages(exact, answer.recall);
  const told = { ...facts, completion_id: textIn(chat.id) };
  return { ok: true, body: Buffer.from(JSON.stringify(chat)), facts: told, notes };
}

function factsOf(body: JsonObject): AnswerFacts {
  const { id, model, stop_reason, usage } = body;
  return {
    ...NO_FACTS,
    completion_id: typeof id === 'string' ? id : null,
    model: typeof model === 'string' ? model : null,
    finish: typeof stop_reason === 'string' ? finishOf(stop_reason) : null,
    tokens: tokensOf(usage),
    said: saidInMessage(body),
  };
}

function tokensOf(usage: unknown): Tokens | null {
  return isObject(usage) ? tokensOfMessages(usage) : null;
}

export const openMessagesStream: Provider['openStream'] = (start): StreamDecoder => {
  if (start.endpoint === 'chat.completions') return new MessagesToChatStream(start);
  const reader = new MessagesReader();
  return { decode: (event) => reader.read(event).decoded };
};
