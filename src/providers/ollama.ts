import { z } from 'zod';
import {
  decodeOpenAi,
  encodeOpenAi,
  openAiUpstream,
  openOpenAiStream,
} from '../core/openai-dialect.ts';
import type { ProviderDefinition } from '../core/provider.ts';
import {
  apiKeySchema,
  baseUrlSchema,
  bearerHeaders,
  headersSchema,
  withoutSlash,
} from '../core/provider-options.ts';

const Options = z.strictObject({
  api_key: apiKeySchema.describe('Sent as a bearer token, where a proxy in front asks for one.'),
  base_url: baseUrlSchema
    .default('http://127.0.0.1:11434/v1')
    .describe('What /chat/completions follows.'),
  headers: headersSchema,
});

export type OllamaOptions = z.output<typeof Options>;

const QUIRKS = {
  limit: 'max_tokens',
  lacks: ['parallel_tool_calls', 'tool_choice', 'user', 'service_tier'],
  reasoning: 'reasoning',
  // Models that do not think refuse one, and those that do think without.
  effort: /gpt-oss/,
} as const;

export const definition: ProviderDefinition<OllamaOptions> = {
  name: 'ollama',
  summary: 'An Ollama server, through its OpenAI-compatible API.',
  secrets: ['api_key'],
  options: Options,
  create(options) {
    const base_url = withoutSlash(options.base_url);
    const upstream = openAiUpstream({ base_url, headers: bearerHeaders(options), quirks: QUIRKS });
    return {
      base_url,
      adapters: [],
      endpoints: ['chat.completions', 'completions', 'embeddings', 'messages'],
      encode: (request) => encodeOpenAi(request, upstream),
      decode: decodeOpenAi,
      openStream: openOpenAiStream,
    };
  },
};
