import { readFileSync } from 'node:fs';
import type { Call, Endpoint } from '../../src/core/call.ts';
import type { Json, JsonObject } from '../../src/core/canonical.ts';
import { instantiate } from '../../src/core/definition.ts';
import type {
  DecodedChunk,
  Provider,
  ProviderRequest,
  StreamStart,
  UpstreamAnswer,
} from '../../src/core/provider.ts';
import { Splitter } from '../../src/gateway/upstream/sse.ts';
import { providers } from '../../src/providers/index.ts';

/** A provider as a policy would make it. */
export function make(use: string, options: object = {}): Provider {
  const definition = providers.get(use);
  if (!definition) throw new Error(`no provider ${use}`);
  return instantiate(definition, options, { name: use, engineUrl: () => '' }) as Provider;
}

export function requestFor(
  endpoint: Endpoint,
  body: object | string,
  more: Partial<ProviderRequest> & { readonly relayed?: Record<string, string> } = {},
): ProviderRequest {
  const raw = typeof body === 'string' ? body : JSON.stringify(body);
  const parsed = JSON.parse(raw) as JsonObject;
  const { relayed = {}, ...rest } = more;
  const call = {
    endpoint,
    body: parsed,
    raw: Buffer.from(raw),
    stream: parsed.stream === true,
    relayed,
  } as unknown as Call;
  return { call, model: 'm', patch: {}, adapter: null, include_usage: call.stream, ...rest };
}

/** What a provider would send: its path, its headers, its body parsed and as text. */
export function sent(provider: Provider, request: ProviderRequest) {
  const { path, headers, body, notes = [] } = provider.encode(request);
  const text = Buffer.from(body).toString();
  const json = JSON.parse(text) as Record<string, Json>;
  return { path, headers, text, json, notes: notes.map(({ subject }) => subject) };
}

export const START: StreamStart = {
  endpoint: 'chat.completions',
  adapter: null,
  model: 'm',
  created_s: 1_700_000_000,
  call_id: 'call_1',
  include_usage: true,
};

export function answerOf(
  body: object | string,
  more: Partial<UpstreamAnswer> = {},
): UpstreamAnswer {
  const bytes =
    body instanceof Uint8Array
      ? body
      : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return { ...START, status: 200, headers: {}, body: bytes, ...more };
}

export function fixture(name: string): Buffer {
  return readFileSync(new URL(`../fixtures/providers/${name}`, import.meta.url));
}

/** A stream's chunks, its bytes cut where `cuts` says, as a gateway would read it. */
export function chunksOf(
  provider: Pick<Provider, 'openStream'>,
  stream: Uint8Array,
  start: Partial<StreamStart> = {},
  cuts: readonly number[] = [],
): readonly DecodedChunk[] {
  const decoder = provider.openStream({ ...START, ...start });
  const splitter = new Splitter();
  const at = [...new Set(cuts.map((cut) => cut % (stream.length + 1)))].sort((a, b) => a - b);
  const parts = [...at, stream.length].map((end, index) => stream.slice(at[index - 1] ?? 0, end));
  const events = parts.flatMap((part) => splitter.push(part));
  return events.map((event) => decoder.decode(event));
}

/** What the client gets of them. */
export function textOf(chunks: readonly DecodedChunk[]): string {
  return Buffer.concat(chunks.map(({ event }) => event ?? new Uint8Array())).toString();
}

/** The JSON of each event's data; `[DONE]` as it is. */
export function dataOf(text: string): JsonObject[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('data: ') && line !== 'data: [DONE]')
    .map((line) => JSON.parse(line.slice(6)) as JsonObject);
}

/** What a stream tells of itself in all. */
export function factsOf(chunks: readonly DecodedChunk[]) {
  return Object.assign({}, ...chunks.map(({ facts }) => facts)) as DecodedChunk['facts'];
}
