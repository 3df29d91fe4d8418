import type { Json, JsonObject } from '../canonical.ts';
import { isObject, objectsIn, textIn } from '../json-values.ts';
import type { Notes } from './notes.ts';

/** The parts of a chat message as Anthropic's blocks; what has no block is named. */

export function cacheControl(part: JsonObject): JsonObject {
  return isObject(part.cache_control) ? { cache_control: part.cache_control } : {};
}

export function textBlocks(content: Json | undefined, notes: Notes): JsonObject[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  return objectsIn(content).flatMap((part) => {
    const text = part.type === 'refusal' ? part.refusal : part.text;
    if (typeof text === 'string' && (part.type === 'text' || part.type === 'refusal')) {
      notes.rest(`messages.${part.type}`, part, PART);
      return text === '' ? [] : [{ type: 'text', text, ...cacheControl(part) }];
    }
    notes.add(`messages.${textIn(part.type)}`);
    return [];
  });
}

export function userContent(content: Json | undefined, notes: Notes): string | JsonObject[] {
  if (typeof content === 'string') return content;
  return objectsIn(content).flatMap((part) => {
    if (part.type === 'image_url') return imageBlock(part, notes);
    if (part.type === 'file') return documentBlock(part, notes);
    return textBlocks([part], notes);
  });
}

/** What is carried over of a part, and what is named by itself. */
const PART: ReadonlySet<string> = new Set([
  'type',
  'text',
  'refusal',
  'image_url',
  'file',
  'cache_control',
]);
const IMAGE: ReadonlySet<string> = new Set(['url', 'detail']);
const FILE: ReadonlySet<string> = new Set(['file_data', 'filename']);

const DATA_URL = /^data:([^;,]+)(?:;[^;,]+)*;base64,(.*)$/s;

/** Many say so of a JPEG, and Anthropic alone minds. */
const NO_TYPE = 'image/jpg';

function imageBlock(part: JsonObject, notes: Notes): JsonObject[] {
  const image: JsonObject = isObject(part.image_url)
    ? part.image_url
    : { url: part.image_url ?? null };
  if (typeof image.url !== 'string') {
    notes.add('messages.image_url', 'it has no url');
    return [];
  }
  if ((image.detail ?? 'auto') !== 'auto') notes.add('messages.image_url.detail');
  notes.rest('messages.image_url', part, PART);
  notes.rest('messages.image_url', image, IMAGE);
  const [, type = '', data = ''] = DATA_URL.exec(image.url) ?? [];
  const media_type = type === NO_TYPE ? 'image/jpeg' : type;
  const source: JsonObject =
    type === '' ? { type: 'url', url: image.url } : { type: 'base64', media_type, data };
  return [{ type: 'image', source, ...cacheControl(part) }];
}

function documentBlock(part: JsonObject, notes: Notes): JsonObject[] {
  const file = isObject(part.file) ? part.file : {};
  const source = sourceOf(textIn(file.file_data));
  if (source === null) {
    notes.add('messages.file', 'only PDF or text as a data URL can be carried over');
    return [];
  }
  notes.rest('messages.file', part, PART);
  notes.rest('messages.file', file, FILE);
  const title: JsonObject = typeof file.filename === 'string' ? { title: file.filename } : {};
  return [{ type: 'document', source, ...title, ...cacheControl(part) }];
}

/** Anthropic has PDF in base64, and any text as such. */
function sourceOf(url: string): JsonObject | null {
  const [, type = '', data = ''] = DATA_URL.exec(url) ?? [];
  if (type === 'application/pdf') return { type: 'base64', media_type: type, data };
  if (!type.startsWith('text/')) return null;
  return { type: 'text', media_type: 'text/plain', data: Buffer.from(data, 'base64').toString() };
}
