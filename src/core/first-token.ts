import type { Json, JsonObject } from './canonical.ts';
import { isObject } from './json-values.ts';

/**
 * What streams say before their first token. Until then a call may fall over to another target, so
 * only what is known to carry nothing is told here: a field or an event that nobody has heard of
 * may be an answer. None of these may throw, or look deeper than a level or two.
 */

/** Of a choice: what frames its delta. */
const CHOICE_FRAME: ReadonlySet<string> = new Set([
  'index',
  'content_filter_results',
  'content_filter_result',
  'content_filter_offsets',
]);

/** Of a chunk without choices: Azure tells first what it thinks of the prompt. */
const CHUNK_FRAME: ReadonlySet<string> = new Set([
  'id',
  'object',
  'created',
  'model',
  'system_fingerprint',
  'service_tier',
  'obfuscation',
  'provider',
  'prompt_filter_results',
  'prompt_annotations',
]);

/** A chunk of a chat completion, or of a text completion, that has opened choices at most. */
export function isEmptyChunk(chunk: JsonObject): boolean {
  const { choices } = chunk;
  if (!Array.isArray(choices)) return false;
  if (choices.length > 0) return (choices as readonly Json[]).every(isEmptyChoice);
  return holdsNothing(chunk, CHUNK_FRAME);
}

function isEmptyChoice(choice: Json): boolean {
  if (!isObject(choice)) return false;
  const { delta, ...others } = choice;
  if (!holdsNothing(others, CHOICE_FRAME)) return false;
  return isObject(delta) ? holdsNothing(delta, ROLE) : isBlank(delta);
}

const ROLE: ReadonlySet<string> = new Set(['role']);

/** An event of Anthropic's that has opened the message, or a text without a word, at most. */
export function isEmptyMessagesEvent(event: JsonObject): boolean {
  const { message, content_block, delta } = event;
  switch (event.type) {
    case 'ping':
    case 'content_block_stop':
      return true;
    case 'message_start':
      return isObject(message) && isBlank(message.content);
    case 'content_block_start':
      // A block of any other type says that the model is at work: it may think in silence.
      if (!isObject(content_block) || content_block.type !== 'text') return false;
      return isBlank(content_block.text) && isBlank(content_block.citations);
    case 'content_block_delta':
      return isObject(delta) && delta.type === 'text_delta' && isBlank(delta.text);
    default:
      return false;
  }
}

/** An event of OpenAI's responses, by its type: the answer, or a text of it, has been opened. */
export function isEmptyResponseEvent(type: string, event: JsonObject): boolean {
  const { response, item, part } = event;
  switch (type) {
    case 'response.created':
    case 'response.queued':
    case 'response.in_progress':
      return isObject(response) && isBlank(response.output);
    case 'keepalive':
      return true;
    case 'response.output_item.added':
      // Any other item says that the model is at work: it may reason in silence.
      return isObject(item) && item.type === 'message' && isBlank(item.content);
    case 'response.content_part.added':
      return isObject(part) && isBlank(part.text) && isBlank(part.refusal);
    default:
      return false;
  }
}

function holdsNothing(object: JsonObject, frame: ReadonlySet<string>): boolean {
  return Object.entries(object).every(([key, value]) => frame.has(key) || isBlank(value));
}

/** Null, an empty text or list, or an object of these alone. */
function isBlank(value: Json | undefined): boolean {
  if (!isObject(value)) return isEmpty(value);
  return Object.values(value).every(isEmpty);
}

function isEmpty(value: Json | undefined): boolean {
  return value === undefined || value === null || value === '' || isEmptyList(value);
}

function isEmptyList(value: Json): boolean {
  return Array.isArray(value) && value.length === 0;
}
