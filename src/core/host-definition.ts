import { z } from 'zod';
import type { Host } from './catalogue.ts';
import {
  decodeOpenAi,
  encodeOpenAi,
  encodeOpenAiStored,
  openAiUpstream,
  openOpenAiStream,
} from './openai-dialect.ts';
import type { ProviderDefinition, StoredRequest } from './provider.ts';
import {
  apiKeySchema,
  baseUrlSchema,
  bearerHeaders,
  headersSchema,
  withoutSlash,
} from './provider-options.ts';

export interface HostOptions {
  readonly api_key?: string | undefined;
  readonly base_url: string;
  readonly headers: Record<string, string>;
}

/** The provider of a host of the catalogue. */
export function hostDefinition(host: Host): ProviderDefinition<HostOptions> {
  return {
    name: host.name,
    summary: `${host.title}; its key is usually in ${host.key_variable}.`,
    secrets: ['api_key'],
    options: z.strictObject({
      api_key: apiKeySchema.describe('Sent as a bearer token.'),
      base_url: baseUrlSchema.default(host.base_url).describe('What /chat/completions follows.'),
      headers: headersSchema,
    }),
    create(options) {
      const base_url = withoutSlash(options.base_url);
      const upstream = openAiUpstream({
        base_url,
        headers: bearerHeaders(options),
        ...(host.quirks ? { quirks: host.quirks } : {}),
      });
      return {
        base_url,
        adapters: [],
        endpoints: ['chat.completions', 'messages', ...(host.more ?? [])],
        encode: (request) => encodeOpenAi(request, upstream),
        decode: decodeOpenAi,
        openStream: openOpenAiStream,
        ...(host.more?.includes('responses')
          ? { encodeStored: (request: StoredRequest) => encodeOpenAiStored(request, upstream) }
          : {}),
      };
    },
  };
}
