import type { JsonObject } from '../../core/canonical.ts';
import type { DecodedChunk, UpstreamFailure } from '../../core/provider.ts';

/**
 * Upstreams quote in their errors what they were sent, the provider's key too, and most of what
 * they say is the client's to read: a mark stands where a credential would.
 */
type Headers = Readonly<Record<string, string>>;

/** Headers whose values are no secrets; any other may be, since a policy names its own. */
const PLAIN: ReadonlySet<string> = new Set([
  'accept',
  'anthropic-beta',
  'anthropic-version',
  'content-type',
  'openai-beta',
]);
/** A shorter value is no key, and would be found in words. */
const SECRET_CHARS_MIN = 8;
const MARK = '[secret]';

export function failureWithoutSecrets(failure: UpstreamFailure, sent: Headers): UpstreamFailure {
  const { message, body } = failure;
  const secrets = secretsOf(sent);
  const clean = without(message, secrets);
  const text = body === null ? '' : JSON.stringify(body);
  const cleanText = without(text, secrets);
  if (clean === message && cleanText === text) return failure;
  const cleanBody = cleanText === text ? body : (JSON.parse(cleanText) as JsonObject);
  return { ...failure, message: clean, body: cleanBody };
}

/** A stream's event that tells of an error. */
export function chunkWithoutSecrets(chunk: DecodedChunk, sent: Headers): DecodedChunk {
  if (chunk.error === null) return chunk;
  const error = failureWithoutSecrets(chunk.error, sent);
  const text = Buffer.from(chunk.event ?? []).toString('utf8');
  const clean = without(text, secretsOf(sent));
  return clean === text ? { ...chunk, error } : { ...chunk, error, event: Buffer.from(clean) };
}

function secretsOf(sent: Headers): readonly string[] {
  return Object.entries(sent).flatMap(([name, value]) => {
    const secret = value.replace(/^(?:bearer|basic) +/i, '');
    return PLAIN.has(name) || secret.length < SECRET_CHARS_MIN ? [] : [secret];
  });
}

/** Also as JSON writes it, which is the same for all keys that are ASCII without quotes. */
function without(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) {
    clean = clean.replaceAll(secret, MARK).replaceAll(JSON.stringify(secret).slice(1, -1), MARK);
  }
  return clean;
}
