import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Endpoint } from '../../src/core/call.ts';
import type { JsonObject } from '../../src/core/canonical.ts';
import type { FailureClass } from '../../src/core/provider.ts';
import type { Behaviour } from './upstream.ts';

/** What an answer says of itself, read off the recording by hand or by a script, never by src. */
export interface Told {
  readonly id?: string | null;
  readonly text?: string;
  readonly thinking?: string;
  readonly signature?: string;
  readonly redacted?: string;
  readonly tools?: readonly (readonly [name: string, input: JsonObject])[];
  /** In OpenAI's word. */
  readonly finish?: string;
  /** In the word of the dialect that it is translated to. */
  readonly other_finish?: string;
  /** As the record counts them; absent where the answer does not say. */
  readonly tokens?: JsonObject;
  /** Of `tokens.out`: what was thought. */
  readonly reasoning_tokens?: number;
  readonly error?: {
    readonly class: FailureClass;
    /** What the client gets. */
    readonly status: number;
    readonly code: string;
  };
}

/** A provider's answer in recorded shape: see `test/fixtures/recorded/README.md`. */
export interface Recording {
  /** `PROVIDER/CASE`. */
  readonly name: string;
  readonly provider: string;
  readonly endpoint: Endpoint;
  readonly request: JsonObject;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The bytes of the body; of a stream, its events. */
  readonly bytes: Buffer;
  readonly streams: boolean;
  readonly told: Told;
  readonly source: JsonObject;
}

const ROOT = new URL('../fixtures/recorded/', import.meta.url);

export function recordings(): readonly Recording[] {
  const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map(recordingOf);
}

function recordingOf(file: string): Recording {
  const name = file.replace(/\.json$/, '');
  const { body, ...rest } = JSON.parse(readFileSync(new URL(file, ROOT), 'utf8'));
  const events = new URL(`${name}.sse`, ROOT);
  const streams = existsSync(events);
  const bytes = streams ? readFileSync(events) : Buffer.from(JSON.stringify(body, null, 2));
  return { ...rest, name, bytes, streams };
}

/** Answers as the recorded provider did; a stream comes in three parts, cut anywhere. */
export function replay({ status, headers, bytes, streams }: Recording): Behaviour {
  return ({ response }) => {
    response.writeHead(status, headers);
    const third = streams ? Math.ceil(bytes.length / 3) : bytes.length;
    for (let at = 0; at < bytes.length; at += third) response.write(bytes.subarray(at, at + third));
    response.end();
  };
}
