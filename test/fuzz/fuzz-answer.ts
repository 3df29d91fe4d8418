import { apiOf, type Scene } from '../kit/actor.ts';
import type { Exchange } from '../kit/behaviours.ts';
import type { Chance } from './chance.ts';
import { anyValue, mutateBytes, mutateJson } from './mutate.ts';

/** What a hostile or broken upstream does with one request: bytes on a raw socket, and an end. */
export interface FuzzedAnswer {
  readonly parts: readonly Buffer[];
  readonly end: 'close' | 'reset' | 'stall';
  /** Nothing was changed: the client must get a complete answer. */
  readonly good: boolean;
}

const EXCHANGE = {
  request: { body: { model: 'm', stream_options: { include_usage: true } } },
  number: 1,
} as unknown as Exchange;

const SCENES: readonly Scene[] = [
  { kind: 'text', words: ['one ', 'größe 🐝 ', 'three'] },
  { kind: 'call', words: [] },
  { kind: 'text', words: [] },
];

export function fuzzAnswer(chance: Chance, path: string, streamed: boolean): FuzzedAnswer {
  const api = apiOf(path);
  const scene = chance.pick(SCENES);
  const good = chance.maybe(0.05);
  const body = streamed
    ? streamBody(chance, api.events(good ? (SCENES[0] as Scene) : scene, EXCHANGE), good)
    : wholeBody(chance, api.whole(scene, EXCHANGE), good);
  if (good) return { parts: sliced(chance, plain(streamed, body)), end: 'close', good };
  if (chance.maybe(0.1)) return errorAnswer(chance, api.error(chance.text(20)));
  let bytes = framed(chance, streamed, body);
  if (chance.maybe(0.1)) bytes = mutateBytes(chance, bytes);
  const end = chance.maybe(0.8) ? 'close' : chance.pick(['reset', 'stall'] as const);
  return { parts: sliced(chance, bytes), end, good };
}

function streamBody(chance: Chance, events: readonly string[], good: boolean): Buffer {
  if (good) return Buffer.from(events.join(''));
  let kept = [...events];
  for (let change = chance.int(4); change > 0; change -= 1) kept = changeEvents(chance, kept);
  let text = kept.join('');
  if (chance.maybe(0.2)) text = text.replaceAll('\n', chance.pick(['\r', '\r\n']));
  const bytes = Buffer.from(text);
  return chance.maybe(0.2) ? mutateBytes(chance, bytes) : bytes;
}

function changeEvents(chance: Chance, events: readonly string[]): string[] {
  const at = chance.int(events.length + 1);
  const event = events[at] ?? '';
  const odd = [
    () => [],
    () => [event, event],
    () => [mutated(chance, event)],
    () => [mutated(chance, event)],
    () => [mutated(chance, event)],
    () => [`: ${chance.text(5).replaceAll(/[\r\n]/g, '')}\n\n`, event],
    () => ['event: ping\ndata: {"type":"ping"}\n\n', event],
    () => ['data: [DONE]\n\n', event],
    () => [`data: ${JSON.stringify({ error: anyValue(chance) })}\n\n`],
    () => ['event: error\ndata: {"type":"error","error":{"type":"overloaded_error"}}\n\n'],
    () => [`data: ${JSON.stringify(anyValue(chance)) ?? ''}\n\n`, event],
    () => [`data: ${'x'.repeat(chance.int(70_000))}\n\n`],
    () => ['data:\n\n', event],
    () => [event.replaceAll(',', ',\ndata: ')],
    () => ['event: x\nid: \0\nretry: no\nunknown\n\n', event],
  ];
  return [...events.slice(0, at), ...chance.pick(odd)(), ...events.slice(at + 1)];
}

function mutated(chance: Chance, event: string): string {
  const json = /^data: (\{[^\n]*\})$/m.exec(event)?.[1];
  if (json === undefined) return event;
  const changed = JSON.stringify(mutateJson(chance, JSON.parse(json), 1 + chance.int(3)));
  return event.replace(json, () => changed);
}

function wholeBody(chance: Chance, answer: object, good: boolean): Buffer {
  if (good) return Buffer.from(JSON.stringify(answer));
  const roll = chance.next();
  if (roll < 0.1) return Buffer.from(JSON.stringify(anyValue(chance)) ?? '');
  if (roll < 0.15) return Buffer.from('<html><body>Bad Gateway</body></html>');
  const bytes = Buffer.from(JSON.stringify(mutateJson(chance, answer, 1 + chance.int(4))));
  return roll < 0.7 ? bytes : mutateBytes(chance, bytes);
}

function plain(streamed: boolean, body: Buffer): Buffer {
  const type = streamed ? 'text/event-stream' : 'application/json';
  return head(200, [`content-type: ${type}`, `content-length: ${body.length}`], body);
}

const TYPES = ['text/event-stream', 'application/json', 'text/html', 'TEXT/EVENT-STREAM;x', ''];

function framed(chance: Chance, streamed: boolean, body: Buffer): Buffer {
  const right = streamed ? 'text/event-stream' : 'application/json';
  const headers = [`content-type: ${chance.maybe(0.9) ? right : chance.pick(TYPES)}`];
  const framing = chance.next();
  if (framing < 0.3) headers.push('transfer-encoding: chunked');
  else if (framing < 0.5) headers.push(`content-length: ${body.length}`);
  else if (framing < 0.6) headers.push(`content-length: ${chance.int(body.length * 2 + 1)}`);
  if (chance.maybe(0.05))
    headers.push(`content-encoding: ${chance.pick(['gzip', 'identity', ''])}`);
  if (chance.maybe(0.1)) headers.push(`retry-after: ${chance.pick(['1', '-1', 'abc', '1e99'])}`);
  if (chance.maybe(0.1))
    headers.push(`x-ratelimit-reset-tokens: ${chance.pick(['6m0s', 'ä', ''])}`);
  if (chance.maybe(0.05)) headers.push(`x-${chance.int(9)}: ${chance.text(9)}`);
  if (chance.maybe(0.02)) headers.push(`x-long: ${'x'.repeat(40_000)}`);
  const drawn = chance.maybe(0.9) ? 200 : 100 + chance.int(500);
  // A 429 that says when to come back would rightly keep the next cases from the upstream too.
  const status = drawn === 429 ? 430 : drawn;
  return head(status, headers, framing < 0.3 ? chunked(chance, body) : body);
}

function errorAnswer(chance: Chance, error: object): FuzzedAnswer {
  const body = Buffer.from(JSON.stringify(mutateJson(chance, error, chance.int(3))));
  const status = chance.pick([400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 503, 529, 599]);
  const bytes = head(status, ['content-type: application/json', 'retry-after: 0'], body);
  return { parts: sliced(chance, bytes), end: 'close', good: false };
}

function head(status: number, headers: readonly string[], body: Buffer): Buffer {
  const text = [`HTTP/1.1 ${status} Something`, 'connection: close', ...headers].join('\r\n');
  return Buffer.concat([Buffer.from(`${text}\r\n\r\n`, 'latin1'), body]);
}

function chunked(chance: Chance, body: Buffer): Buffer {
  const parts = sliced(chance, body).flatMap((part) => [
    Buffer.from(`${part.length.toString(16)}\r\n`),
    part,
    Buffer.from('\r\n'),
  ]);
  const end = chance.maybe(0.9) ? '0\r\n\r\n' : chance.pick(['', 'zz\r\n', '0\r\nx: y\r\n\r\n']);
  return Buffer.concat([...parts, Buffer.from(end)]);
}

/** Cut anywhere, inside of a character too. */
function sliced(chance: Chance, bytes: Buffer): Buffer[] {
  const cuts = Array.from({ length: chance.int(5) }, () => chance.int(bytes.length + 1));
  const places = [0, ...cuts.sort((left, right) => left - right), bytes.length];
  return places
    .slice(1)
    .map((end, index) => bytes.subarray(places[index], end))
    .filter((part) => part.length > 0);
}
