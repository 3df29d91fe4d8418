import { z } from 'zod';
import {
  decodeOpenAi,
  encodeOpenAi,
  encodeOpenAiStored,
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
  api_key: apiKeySchema.describe('Sent as a bearer token.'),
  base_url: baseUrlSchema
    .default('https://api.openai.com/v1')
    .describe('What /chat/completions follows.'),
  headers: headersSchema,
});

export type OpenAiOptions = z.output<typeof Options>;

/** Models that think before they answer; others refuse to be told how much. */
const EFFORT = /^(o\d|gpt-[5-9]|gpt-oss|codex)/;

/** The first that thought take no sampling parameters; GPT-5.1 and later do, unless they think. */
const FIXED = /^(o\d|gpt-5(?!\.|-chat)|codex)/;

/** All of OpenAI's own that think: none of them is sampled while it does. */
const UNSAMPLED = /^(o\d|gpt-[5-9]|codex)/;

/** Those that know an effort above `high`. */
const XHIGH = /^gpt-(5\.([2-9]|\d\d)|[6-9])|codex-max/;

export const definition: ProviderDefinition<OpenAiOptions> = {
  name: 'openai',
  summary: 'OpenAI, or any upstream that speaks its API at a base URL.',
  secrets: ['api_key'],
  options: Options,
  create(options) {
    const base_url = withoutSlash(options.base_url);
    const quirks = {
      effort: EFFORT,
      xhigh: XHIGH,
      fixed: FIXED,
      fixed_by_effort: UNSAMPLED,
    } as const;
    const upstream = openAiUpstream({ base_url, headers: bearerHeaders(options), quirks });
    return {
      base_url,
      adapters: [],
      endpoints: [
        'chat.completions',
        'responses',
        'responses.input_tokens',
        'responses.compact',
        'completions',
        'embeddings',
        'moderations',
        'messages',
      ],
      encode: (request) => encodeOpenAi(request, upstream),
      decode: decodeOpenAi,
      openStream: openOpenAiStream,
      encodeStored: (request) => encodeOpenAiStored(request, upstream),
    };
  },
};
