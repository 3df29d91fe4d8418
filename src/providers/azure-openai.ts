import { z } from 'zod';
import { baseUrlOf } from '../core/base-url.ts';
import type { Endpoint } from '../core/call.ts';
import {
  decodeOpenAi,
  encodeOpenAi,
  encodeOpenAiStored,
  openAiPath,
  openAiUpstream,
  openOpenAiStream,
} from '../core/openai-dialect.ts';
import type { ProviderDefinition, StoredRequest } from '../core/provider.ts';
import {
  apiKeySchema,
  baseUrlSchema,
  headersSchema,
  lowerCased,
  withoutSlash,
} from '../core/provider-options.ts';

const Options = z
  .strictObject({
    api_key: apiKeySchema.describe('Sent as the header api-key.'),
    resource: z
      .string()
      .regex(/^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$/, 'a resource is [a-z0-9-], at most 64')
      .optional()
      .describe('The resource’s name: https://RESOURCE.openai.azure.com.'),
    base_url: baseUrlSchema
      .optional()
      .describe('In place of `resource`, for other clouds: what /openai follows.'),
    api_version: z
      .string()
      .regex(/^(v1|\d{4}-\d{2}-\d{2}(-preview)?)$/, 'an api-version is v1 or YYYY-MM-DD[-preview]')
      .default('2024-10-21')
      .describe('`v1` asks the newer surface, which also has responses.'),
    headers: headersSchema,
  })
  .refine(
    ({ resource, base_url }) => (resource === undefined) !== (base_url === undefined),
    'name either resource or base_url',
  );

export type AzureOptions = z.output<typeof Options>;

const ENDPOINTS: readonly Endpoint[] = [
  'chat.completions',
  'completions',
  'embeddings',
  'messages',
];

/**
 * As at OpenAI itself. A deployment's name is the operator's to choose: only a hint of what stands
 * behind it.
 */
const QUIRKS = {
  effort: /(^|-)(o\d|gpt-?[5-9]|gpt-oss|codex)/,
  xhigh: /(^|-)gpt-?(5\.([2-9]|\d\d)|[6-9])|codex-max/,
  fixed: /(^|-)(o\d|gpt-?5(?!\.|-chat)|codex)/,
  fixed_by_effort: /(^|-)(o\d|gpt-?[5-9]|codex)/,
} as const;

export const definition: ProviderDefinition<AzureOptions> = {
  name: 'azure-openai',
  summary: 'OpenAI’s models at Azure; a target’s `model` is the name of a deployment.',
  secrets: ['api_key'],
  options: Options,
  create(options) {
    const { api_key, api_version, resource } = options;
    const base_url = withoutSlash(options.base_url ?? `https://${resource}.openai.azure.com`);
    const root = `${baseUrlOf(base_url).path}/openai`;
    const upstream = openAiUpstream({
      base_url,
      headers: {
        ...(api_key === undefined ? {} : { 'api-key': api_key }),
        ...lowerCased(options.headers),
      },
      quirks: QUIRKS,
      path(endpoint: Parameters<typeof openAiPath>[0], model: string): string {
        if (api_version === 'v1') return `${root}/v1${openAiPath(endpoint)}`;
        const deployment = encodeURIComponent(model).replaceAll('.', '%2E');
        const path = `/deployments/${deployment}${openAiPath(endpoint)}`;
        return `${root}${path}?api-version=${api_version}`;
      },
    });
    return {
      base_url,
      adapters: [],
      endpoints: api_version === 'v1' ? [...ENDPOINTS, 'responses'] : ENDPOINTS,
      encode: (request) => encodeOpenAi(request, upstream),
      decode: decodeOpenAi,
      openStream: openOpenAiStream,
      ...(api_version === 'v1'
        ? { encodeStored: (request: StoredRequest) => encodeOpenAiStored(request, upstream) }
        : {}),
    };
  },
};
