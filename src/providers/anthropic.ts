import { z } from 'zod';
import { decodeMessages, encodeMessages, openMessagesStream } from '../core/messages-dialect.ts';
import type { ProviderDefinition } from '../core/provider.ts';
import {
  apiKeySchema,
  baseUrlSchema,
  headersSchema,
  lowerCased,
  withoutSlash,
} from '../core/provider-options.ts';

const Options = z.strictObject({
  api_key: apiKeySchema.describe('Sent as the header x-api-key.'),
  base_url: baseUrlSchema
    .default('https://api.anthropic.com')
    .describe('What /v1/messages follows; a base URL that ends in /v1 is taken as well.'),
  headers: headersSchema,
});

export type AnthropicOptions = z.output<typeof Options>;

export const definition: ProviderDefinition<AnthropicOptions> = {
  name: 'anthropic',
  summary: 'Anthropic’s messages; chat completions reach it by translation.',
  secrets: ['api_key'],
  options: Options,
  create(options) {
    const { api_key } = options;
    // Its own clients write the base URL without /v1, those of the compatible endpoint with it.
    const base_url = `${withoutSlash(options.base_url).replace(/\/v1$/, '')}/v1`;
    const headers = {
      ...(api_key === undefined ? {} : { 'x-api-key': api_key }),
      ...lowerCased(options.headers),
    };
    return {
      base_url,
      adapters: [],
      endpoints: ['messages', 'messages.count_tokens', 'chat.completions'],
      encode: (request) => encodeMessages(request, { base_url, headers }),
      decode: decodeMessages,
      openStream: openMessagesStream,
    };
  },
};
