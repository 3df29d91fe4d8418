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
  openAiUpstream,
  openOpenAiStream,
} from '../core/openai-dialect.ts';
import type { Provider, ProviderDefinition, ProviderHost } from '../core/provider.ts';
import { adapterNameSchema } from '../core/provider-options.ts';

const Options = z.strictObject({
  model: z.string().min(1).describe('Path of a GGUF model file.'),
  adapters: z
    .record(adapterNameSchema, z.string().min(1))
    .default({})
    .describe('LoRA adapters: name to path of a GGUF file.'),
  context_tokens: z.int().min(64).max(131_072).default(512).describe('Prompt and answer together.'),
  slots: z.int().min(1).max(64).default(4).describe('Adapters held ready at a time.'),
});

export type EmbeddedOptions = z.output<typeof Options>;

export const definition: ProviderDefinition<EmbeddedOptions> = {
  name: 'embedded',
  summary: 'A GGUF model in the product’s own engine process, with LoRA adapters per call.',
  secrets: [],
  options: Options,
  files: (options) => [options.model, ...Object.values(options.adapters)],
  engine: (options) => options,
  create: (options, host) => createEmbedded(Object.keys(options.adapters), host),
};

const QUIRKS = { joins_text: true } as const;

/**
 * OpenAI's dialect towards the engine. An adapter is asked for as `model:adapter`, and the engine
 * echoes in `model` what really answered: only that echo counts as proof.
 */
function createEmbedded(adapters: readonly string[], host: ProviderHost): Provider {
  const adapterOf = (model: string) => adapterNamed(model, adapters);
  return {
    get base_url() {
      return host.engineUrl();
    },
    adapters,
    endpoints: ['chat.completions', 'messages'],
    encode(request) {
      const model =
        request.adapter === null ? request.model : `${request.model}:${request.adapter}`;
      const upstream = openAiUpstream({ base_url: host.engineUrl(), headers: {}, quirks: QUIRKS });
      return encodeOpenAi({ ...request, model }, upstream);
    },
    decode(answer) {
      if (isAdapterFailure(answer)) return adapterUnavailable(answer);
      const decoded = decodeOpenAi(answer);
      return decoded.ok ? { ...decoded, facts: proven(decoded.facts, adapterOf) } : decoded;
    },
    openStream: (start) => provenStream(openOpenAiStream(start), adapterOf),
  };
}

function adapterNamed(model: string, adapters: readonly string[]): string | null {
  const colon = model.lastIndexOf(':');
  const name = colon === -1 ? '' : model.slice(colon + 1);
  return adapters.includes(name) ? name : null;
}
