import type { Call } from '../call.ts';
import type { Json } from '../canonical.ts';
import { isObject } from '../json-values.ts';
import { textOf, turnsOf } from '../signals/turns.ts';
import { FEATURES, promptFeatures } from './prompt-features.ts';

/** A call waits for it, so less is read than could be: 5 µs. */
const HOT_SPAN = { head: 512, tail: 256 };

/**
 * The features of a call as a contextual router has them, rounded to steps of 1/127, so that what
 * the gateway scored is exactly what its event has for the worker to learn from: 88 characters, of
 * which no text can be made again.
 */
export function callContext(call: Call, sticky: boolean, out: Float64Array): Float64Array {
  const { body, raw, endpoint } = call;
  const messages = endpoint === 'responses' ? body.input : body.messages;
  const list: readonly Json[] = Array.isArray(messages) ? messages : [];
  // A session keeps its target: then only what is the same in all of its calls may count.
  const text = (sticky ? firstOf(list) : null) ?? turnsOf(call).user ?? '';
  const facts = sticky
    ? { bytes: text.length }
    : { tools: hasTools(body.tools), turn: list.length >> 1, bytes: raw.length };
  promptFeatures(text, facts, out, HOT_SPAN);
  for (let at = 0; at < FEATURES; at += 1) out[at] = Math.round((out[at] as number) * 127) / 127;
  return out;
}

const hasTools = (tools: Json | undefined): boolean => Array.isArray(tools) && tools.length > 0;

/** What the user said first, with which a client that keeps its history begins each request. */
function firstOf(messages: readonly Json[]): string | null {
  for (const message of messages) {
    if (isObject(message) && message.role === 'user') return textOf(message.content);
  }
  return null;
}

/** Rounded features as text: base64 of one signed byte a column. */
export function encodeFeatures(x: Float64Array): string {
  const bytes = Buffer.allocUnsafe(FEATURES);
  for (let at = 0; at < FEATURES; at += 1) bytes[at] = Math.round((x[at] as number) * 127);
  return bytes.toString('base64');
}

/** Fills `out`; false, and zeros, where the text is none of this many features. */
export function decodeFeatures(text: string, out: Float64Array): boolean {
  const bytes = Buffer.from(text, 'base64');
  const fits = bytes.length === FEATURES;
  for (let at = 0; at < FEATURES; at += 1) out[at] = fits ? bytes.readInt8(at) / 127 : 0;
  return fits;
}
