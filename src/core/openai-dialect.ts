import { baseUrlOf } from './base-url.ts';
import type { Endpoint, Note } from './call.ts';
import type { Json, JsonObject } from './canonical.ts';
import { decodeChat, decodeChatChunk, factsOf } from './chat-dialect.ts';
import { readAnswer, wholeFacts } from './decoded.ts';
import { parseExactBytes } from './exact-json.ts';
import { fittingFields } from './fitting-fields.ts';
import { JsonTexts } from './json-texts.ts';
import { isObject, textIn } from './json-values.ts';
import { patchedBody } from './patched-body.ts';
import type {
  DecodedAnswer,
  Provider,
  ProviderRequest,
  StoredRequest,
  UpstreamAnswer,
  UpstreamRequest,
} from './provider.ts';
import {
  decodeBackgroundEvent,
  decodeBesides,
  decodeResponse,
  decodeResponseEvent,
} from './responses-dialect.ts';
import { SeveralChoices } from './several-choices.ts';
import { spliceBody } from './splice.ts';
import { lostOfChat } from './translate/answer-notes.ts';
import { chatAnswerToMessages } from './translate/answers.ts';
import { ChatToMessagesStream } from './translate/chat-stream.ts';
import { messagesToChat, REFUSED_BY_HOST } from './translate/messages-request.ts';
import type { ChatQuirks } from './translate/quirks.ts';

/** Where an upstream of OpenAI's dialect is, and how it differs. */
export interface OpenAiOptions {
  readonly base_url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly quirks?: ChatQuirks;
  /** The path of an endpoint, where it is not OpenAI's below the base URL. */
  path?(endpoint: OpenAiEndpoint, model: string): string;
}

type Headers = Readonly<Record<string, string>>;

/** The same, and what all requests to it have in common, made once. */
export interface OpenAiUpstream extends OpenAiOptions {
  /** What its paths begin with. */
  readonly base_path: string;
  /** The headers of a call that brings none of its own. */
  readonly whole: Headers;
  readonly streamed: Headers;
  /** What stands in many bodies, as JSON. */
  readonly texts: JsonTexts;
}

export function openAiUpstream(options: OpenAiOptions): OpenAiUpstream {
  return {
    ...options,
    base_path: baseUrlOf(options.base_url).path,
    whole: Object.freeze({ ...ASKED_WHOLE, ...options.headers }),
    streamed: Object.freeze({ ...ASKED_STREAMED, ...options.headers }),
    texts: new JsonTexts(),
  };
}

const ASKED_WHOLE: Headers = {
  'content-type': 'application/json',
  accept: 'application/json',
  'accept-encoding': 'identity',
};
const ASKED_STREAMED: Headers = { ...ASKED_WHOLE, accept: 'text/event-stream' };

export type OpenAiEndpoint = Exclude<Endpoint, 'messages' | 'messages.count_tokens'>;

const PATHS: Readonly<Record<OpenAiEndpoint, string>> = {
  'chat.completions': '/chat/completions',
  responses: '/responses',
  'responses.input_tokens': '/responses/input_tokens',
  'responses.compact': '/responses/compact',
  completions: '/completions',
  embeddings: '/embeddings',
  moderations: '/moderations',
};

export function openAiPath(endpoint: OpenAiEndpoint): string {
  return PATHS[endpoint];
}

/**
 * OpenAI's dialect: bodies go as the client wrote them but for the fields that are set; Anthropic's
 * messages go as chat completions.
 */
export function encodeOpenAi(request: ProviderRequest, upstream: OpenAiUpstream): UpstreamRequest {
  const { call, model } = request;
  const translates = call.endpoint === 'messages';
  const endpoint = (translates ? 'chat.completions' : call.endpoint) as OpenAiEndpoint;
  const { body, notes, recall } = translates
    ? fromMessages(request, upstream)
    : fromOpenAi(request, upstream);
  return {
    method: 'POST',
    path: pathAt(upstream, endpoint, model),
    headers: headersOf(upstream, call.stream, call.relayed),
    body,
    ...(notes.length > 0 ? { notes } : {}),
    recall,
  };
}

function pathAt(upstream: OpenAiUpstream, endpoint: OpenAiEndpoint, model: string): string {
  if (upstream.path) return upstream.path(endpoint, model);
  return `${upstream.base_path}${PATHS[endpoint]}`;
}

function headersOf(
  upstream: OpenAiUpstream,
  stream: boolean,
  relayed: StoredRequest['relayed'] | undefined,
): Headers {
  if (relayed?.['openai-beta'] === undefined) return stream ? upstream.streamed : upstream.whole;
  const asked = stream ? ASKED_STREAMED : ASKED_WHOLE;
  return { ...asked, ...relayedOf(relayed), ...upstream.headers };
}

/** About a response that the upstream keeps, without a body. */
export function encodeOpenAiStored(
  request: StoredRequest,
  upstream: OpenAiUpstream,
): UpstreamRequest {
  const { method, id, part, query, stream } = request;
  return {
    method,
    path: `${pathAt(upstream, 'responses', '')}/${id}${part}${query}`,
    headers: {
      accept: stream ? 'text/event-stream' : 'application/json',
      'accept-encoding': 'identity',
      ...relayedOf(request.relayed),
      ...upstream.headers,
    },
    body: new Uint8Array(),
  };
}

/** A client's betas mean something only where the body goes as it came. */
function relayedOf(relayed: StoredRequest['relayed'] | undefined): StoredRequest['relayed'] {
  const beta = relayed?.['openai-beta'];
  return beta === undefined ? {} : { 'openai-beta': beta };
}

type Body = Pick<UpstreamRequest, 'body' | 'recall'> & Required<Pick<UpstreamRequest, 'notes'>>;

function fromMessages(request: ProviderRequest, { quirks }: OpenAiUpstream): Body {
  const { body, ...rest } = messagesToChat(patchedBody(request), request.model, quirks);
  return { body: Buffer.from(JSON.stringify(body)), ...rest };
}

/** The client's own bytes, but for the fields that are set. */
function fromOpenAi(request: ProviderRequest, { quirks = {}, texts }: OpenAiUpstream): Body {
  const { call, model } = request;
  const fitting = fittingFields(request.patch, call.body, (field) =>
    refusesDefault(request, quirks, field),
  );
  const { patch } = fitting;
  const fields: Record<string, Json> = { ...patch, model };
  const notes: Note[] = [...fitting.notes];
  if (call.endpoint === 'chat.completions' || call.endpoint === 'completions') {
    const options = patch.stream_options ?? call.body.stream_options;
    if (quirks.stream_options === false) {
      fields.stream_options = null;
      if (isObject(options)) notes.push({ subject: 'stream_options', reason: REFUSED_BY_HOST });
    } else if (request.include_usage) {
      fields.stream_options = { ...(isObject(options) ? options : {}), include_usage: true };
    }
    if (quirks.limit !== undefined) renameLimit(fields, call.body, quirks.limit);
    else if (isOldLimit(request, quirks)) renameLimit(fields, call.body, 'max_completion_tokens');
  }
  const body = spliceBody(call.raw, fields, call.body, texts);
  if (call.endpoint !== 'responses') return { body, notes };
  const background = (patch.background ?? call.body.background) === true;
  return background ? { body, notes, recall: { background } } : { body, notes };
}

/** What models that think before they answer refuse, whoever asks. */
const REFUSED_BY_THINKERS: ReadonlySet<string> = new Set([
  'temperature',
  'top_p',
  'stop',
  'presence_penalty',
  'frequency_penalty',
  'logit_bias',
  'logprobs',
  'top_logprobs',
]);

/** What of these one refuses that is asked for an effort. */
const REFUSED_WITH_EFFORT: ReadonlySet<string> = new Set([
  'temperature',
  'top_p',
  'logprobs',
  'top_logprobs',
]);

/** Whether a field that the client did not send would be refused. */
function refusesDefault(
  { call, patch, model }: ProviderRequest,
  { fixed, fixed_by_effort, no_stop, effort, lacks }: ChatQuirks,
  field: string,
): boolean {
  if (lacks?.includes(field)) return true;
  if (field === 'reasoning_effort') return effort !== undefined && !effort.test(model);
  if (field === 'stop' && no_stop?.test(model)) return true;
  if (REFUSED_WITH_EFFORT.has(field) && fixed_by_effort?.test(model)) {
    const asked = patch.reasoning_effort ?? call.body.reasoning_effort ?? 'none';
    if (asked !== 'none') return true;
  }
  return REFUSED_BY_THINKERS.has(field) && fixed?.test(model) === true;
}

/** A limit of the policy's under the name that these models no longer know. */
function isOldLimit({ call, patch, model }: ProviderRequest, { fixed }: ChatQuirks): boolean {
  if (patch.max_tokens === undefined || Object.hasOwn(call.body, 'max_tokens')) return false;
  return call.endpoint === 'chat.completions' && fixed?.test(model) === true;
}

function renameLimit(
  fields: Record<string, Json>,
  body: JsonObject,
  known: 'max_tokens' | 'max_completion_tokens',
): void {
  const other = known === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens';
  const given = fields[other] === undefined ? body[other] : fields[other];
  if (given === undefined || given === null) return;
  if ((fields[known] ?? body[known] ?? null) === null) fields[known] = given;
  fields[other] = null;
}

export function decodeOpenAi(answer: UpstreamAnswer): DecodedAnswer {
  switch (answer.endpoint) {
    case 'responses':
      return decodeResponse(answer);
    case 'responses.input_tokens':
    case 'responses.compact':
      return decodeBesides(answer);
    case 'embeddings':
    case 'moderations':
      return decodePlain(answer);
    case 'messages':
      return toMessages(answer);
    default:
      return decodeChat(answer);
  }
}

function decodePlain(answer: UpstreamAnswer): DecodedAnswer {
  const read = readAnswer(answer);
  if (!('body' in read)) return read;
  return { ok: true, body: answer.body, facts: wholeFacts(factsOf(read.body)) };
}

function toMessages(answer: UpstreamAnswer): DecodedAnswer {
  const decoded = decodeChat(answer);
  if (!decoded.ok) return decoded;
  const chat = parseExactBytes(answer.body) as JsonObject;
  const message = chatAnswerToMessages(chat, answer);
  const facts = { ...decoded.facts, completion_id: textIn(message.id) };
  const body = Buffer.from(JSON.stringify(message));
  return { ...decoded, body, facts, notes: lostOfChat(chat) };
}

/** Nothing has to be remembered of a stream that passes as it is. */
const CHAT = { decode: decodeChatChunk };
const RESPONSES = { decode: decodeResponseEvent };
const BACKGROUND = { decode: decodeBackgroundEvent };

export const openOpenAiStream: Provider['openStream'] = (start) => {
  if (start.endpoint === 'messages') return new ChatToMessagesStream(start);
  if (start.endpoint === 'responses') return start.recall?.background ? BACKGROUND : RESPONSES;
  const { choices = 1 } = start;
  return choices > 1 ? new SeveralChoices(choices) : CHAT;
};
