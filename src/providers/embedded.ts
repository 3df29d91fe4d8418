import { z } from 'zod';
import { decodeChat, decodeChatChunk, encodeChat } from '../core/chat-dialect.ts';
import type {
  AnswerFacts,
  DecodedAnswer,
  Provider,
  ProviderDefinition,
  ProviderHost,
  UpstreamAnswer,
} from '../core/provider.ts';
import { failureOf, isObject, parseJson } from '../core/upstream-failure.ts';

const AdapterName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_.-]*$/, 'a name is [a-z0-9][a-z0-9_.-]*')
  .refine((name) => name !== 'none', 'none is the word for no adapter');

const Options = z.strictObject({
  model: z.string().min(1).describe('Path of a GGUF model file.'),
  adapters: z
    .record(AdapterName, z.string().min(1))
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

/**
 * OpenAI's dialect towards the engine. An adapter is asked for as `model:adapter`, and the engine
 * echoes in `model` what really answered: only that echo counts as proof.
 */
function createEmbedded(adapters: readonly string[], host: ProviderHost): Provider {
  return {
    get base_url() {
      return host.engineUrl();
    },
    adapters,
    encode(request) {
      const model =
        request.adapter === null ? request.model : `${request.model}:${request.adapter}`;
      return encodeChat({ ...request, model }, { base_url: host.engineUrl(), headers: {} });
    },
    decode(answer) {
      if (isAdapterFailure(answer)) return adapterUnavailable(answer);
      const decoded = decodeChat(answer);
      if (!decoded.ok) return decoded;
      const adapter = provenAdapter(decoded.facts, adapters);
      return { ...decoded, facts: { ...decoded.facts, adapter } };
    },
    decodeChunk(event) {
      const decoded = decodeChatChunk(event);
      const adapter = provenAdapter(decoded.facts, adapters);
      return adapter === null ? decoded : { ...decoded, facts: { ...decoded.facts, adapter } };
    },
  };
}

function provenAdapter(facts: Partial<AnswerFacts>, adapters: readonly string[]): string | null {
  const colon = facts.model?.lastIndexOf(':') ?? -1;
  const name = colon === -1 ? undefined : facts.model?.slice(colon + 1);
  return name !== undefined && adapters.includes(name) ? name : null;
}

/** The base can still answer: an unknown adapter is a 404 of the model, a broken one a 500. */
function isAdapterFailure(answer: UpstreamAnswer): boolean {
  if (answer.adapter === null) return false;
  if (answer.status !== 404 && answer.status !== 500) return false;
  const body = parseJson(answer.body);
  const error = isObject(body) ? body.error : undefined;
  if (!isObject(error)) return false;
  return answer.status === 404 ? error.param === 'model' : error.code === 'adapter_failed';
}

function adapterUnavailable(answer: UpstreamAnswer): DecodedAnswer {
  const failure = failureOf(answer);
  return {
    ok: false,
    error: {
      ...failure,
      code: 'adapter_unavailable',
      status: 502,
      retryable: true,
      counts: false,
    },
  };
}
