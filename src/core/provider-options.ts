import { z } from 'zod';

/**
 * Headers that are the connection's or the body's own; naming one would break or split requests.
 */
const RESERVED = ['connection', 'content-length', 'host', 'transfer-encoding', 'upgrade', 'te'];

const headerSchema = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'not a header name')
  .refine(
    (name) => !RESERVED.includes(name.toLowerCase()),
    'this header belongs to the connection',
  );

export const baseUrlSchema = z
  .url({ protocol: /^https?$/ })
  .refine((text) => {
    const url = new URL(text);
    return url.search === '' && url.hash === '' && url.username === '' && url.password === '';
  }, 'a base URL has no query, fragment or credentials')
  // Each call would be refused: a path that begins so may be taken for the name of another host.
  .refine((text) => !new URL(text).pathname.startsWith('//'), 'a path begins with one slash');

export const apiKeySchema = z.string().min(1).optional();

export const headersSchema = z
  .record(headerSchema, z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'not a header value'))
  .default({})
  .describe('Further headers of each request.');

/** A name of an adapter; `none` is the policy's word for no adapter. */
export const adapterNameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_.-]*$/, 'a name is [a-z0-9][a-z0-9_.-]*')
  .refine((name) => name !== 'none', 'none is the word for no adapter');

export function withoutSlash(base_url: string): string {
  return base_url.replace(/\/+$/, '');
}

/** Headers of an upstream that takes its key as a bearer token; the policy's own win. */
export function bearerHeaders(options: {
  readonly api_key?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}): Readonly<Record<string, string>> {
  const { api_key } = options;
  return {
    ...(api_key === undefined ? {} : { authorization: `Bearer ${api_key}` }),
    ...lowerCased(options.headers),
  };
}

export function lowerCased(
  headers: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}
