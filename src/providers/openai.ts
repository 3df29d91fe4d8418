import { z } from 'zod';
import { decodeChat, decodeChatChunk, encodeChat } from '../core/chat-dialect.ts';
import type { ProviderDefinition } from '../core/provider.ts';

/**
 * Headers that are the connection's or the body's own; naming one would break or split requests.
 */
const RESERVED = ['connection', 'content-length', 'host', 'transfer-encoding', 'upgrade', 'te'];

const Header = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'not a header name')
  .refine(
    (name) => !RESERVED.includes(name.toLowerCase()),
    'this header belongs to the connection',
  );

const BaseUrl = z.url({ protocol: /^https?$/ }).refine((text) => {
  const url = new URL(text);
  return url.search === '' && url.hash === '' && url.username === '' && url.password === '';
}, 'a base URL has no query, fragment or credentials');

const Options = z.strictObject({
  api_key: z.string().min(1).optional().describe('Sent as a bearer token.'),
  base_url: BaseUrl.default('https://api.openai.com/v1').describe(
    'What /chat/completions follows.',
  ),
  headers: z
    .record(Header, z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'not a header value'))
    .default({})
    .describe('Further headers of each request.'),
});

export type OpenAiOptions = z.output<typeof Options>;

export const definition: ProviderDefinition<OpenAiOptions> = {
  name: 'openai',
  summary: 'OpenAI, or any upstream that speaks its chat completions at a base URL.',
  secrets: ['api_key'],
  options: Options,
  create(options) {
    const base_url = options.base_url.replace(/\/+$/, '');
    const headers = requestHeaders(options);
    return {
      base_url,
      adapters: [],
      encode: (request) => encodeChat(request, { base_url, headers }),
      decode: decodeChat,
      decodeChunk: decodeChatChunk,
    };
  },
};

function requestHeaders(options: OpenAiOptions): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  if (options.api_key !== undefined) headers.authorization = `Bearer ${options.api_key}`;
  for (const [name, value] of Object.entries(options.headers)) headers[name.toLowerCase()] = value;
  return headers;
}
