import { z } from 'zod';
import {
  adapterUnavailable,
  isAdapterFailure,
  proven,
  provenStream,
} from '../core/adapter-failure.ts';
import {
  decodeOpenAi,
  encodeOpenAi,
  encodeOpenAiStored,
  openAiUpstream,
  openOpenAiStream,
} from '../core/openai-dialect.ts';
import type { ProviderDefinition } from '../core/provider.ts';
import {
  adapterNameSchema,
  apiKeySchema,
  baseUrlSchema,
  bearerHeaders,
  headersSchema,
  withoutSlash,
} from '../core/provider-options.ts';

const Options = z.strictObject({
  api_key: apiKeySchema.describe('Sent as a bearer token.'),
  base_url: baseUrlSchema
    .default('http://127.0.0.1:8000/v1')
    .describe('What /chat/completions follows.'),
  adapters: z
    .array(adapterNameSchema)
    .max(1000)
    .default([])
    .describe('LoRA adapters that the server has loaded, by the names that it serves them under.'),
  headers: headersSchema,
});

export type VllmOptions = z.output<typeof Options>;

const QUIRKS = {
  limit: 'max_tokens',
  knows: ['top_k'],
  reasoning: 'reasoning_content',
  effort: /gpt-oss/,
} as const;

/**
 * vLLM serves an adapter as a model of its own. Only names of the policy are ever asked for: a
 * server with a resolver would go and download whatever else it is asked for.
 */
export const definition: ProviderDefinition<VllmOptions> = {
  name: 'vllm',
  summary: 'A vLLM server, with LoRA adapters by model name.',
  secrets: ['api_key'],
  options: Options,
  create(options) {
    const base_url = withoutSlash(options.base_url);
    const upstream = openAiUpstream({ base_url, headers: bearerHeaders(options), quirks: QUIRKS });
    const { adapters } = options;
    const adapterOf = (model: string) => (adapters.includes(model) ? model : null);
    return {
      base_url,
      adapters,
      endpoints: ['chat.completions', 'responses', 'completions', 'embeddings', 'messages'],
      encode(request) {
        return encodeOpenAi({ ...request, model: request.adapter ?? request.model }, upstream);
      },
      decode(answer) {
        if (isAdapterFailure(answer)) return adapterUnavailable(answer);
        const decoded = decodeOpenAi(answer);
        return decoded.ok ? { ...decoded, facts: proven(decoded.facts, adapterOf) } : decoded;
      },
      openStream: (start) => provenStream(openOpenAiStream(start), adapterOf),
      encodeStored: (request) => encodeOpenAiStored(request, upstream),
    };
  },
};
