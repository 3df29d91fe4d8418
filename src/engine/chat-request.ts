import { z } from 'zod';
import { badRequest } from './engine-error.ts';

const TextPart = z.object({ type: z.literal('text'), text: z.string() });

const Message = z.object({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool', 'function']),
  content: z
    .union(
      [z.string(), z.array(TextPart).transform((parts) => parts.map((p) => p.text).join(''))],
      {
        error: 'must be a text, or a list of text parts',
      },
    )
    .nullish()
    .transform((content) => content ?? ''),
});

const Limit = z.int().min(1).nullish();

/** Of OpenAI's fields, those that the engine obeys; what it does not know it passes over. */
const Request = z.object({
  model: z.string(),
  messages: z.array(Message).min(1, 'must hold at least one message'),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: Limit,
  max_completion_tokens: Limit,
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  seed: z.int().nullish(),
  stop: z
    .union([z.string().transform((stop) => [stop]), z.array(z.string()).max(16)])
    .nullish()
    .transform((stops) => (stops ?? []).filter((stop) => stop !== '')),
  n: z.literal(1, 'the engine gives one choice').nullish(),
});

export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly stream: boolean;
  readonly include_usage: boolean;
  /** Null: as many as the context holds. */
  readonly tokens_max: number | null;
  readonly sampling: Sampling;
  readonly stops: readonly string[];
}

export interface ChatMessage {
  readonly role: z.output<typeof Message>['role'];
  readonly content: string;
}

/** Temperature 0 is greedy, and the default: the same question then has the same answer. */
export interface Sampling {
  readonly temperature: number;
  readonly topP?: number;
  readonly seed?: number;
}

/** Throws an EngineError that names the field. */
export function parseChatRequest(body: string): ChatRequest {
  const parsed = Request.safeParse(parseBody(body));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const param = issue?.path.join('.') ?? '';
    throw badRequest(`${param || 'body'}: ${issue?.message ?? 'invalid'}`, param || undefined);
  }
  const { data } = parsed;
  return {
    model: data.model,
    messages: data.messages,
    stream: data.stream ?? false,
    include_usage: data.stream_options?.include_usage ?? false,
    tokens_max: data.max_completion_tokens ?? data.max_tokens ?? null,
    sampling: {
      temperature: data.temperature ?? 0,
      topP: data.top_p ?? undefined,
      seed: data.seed ?? undefined,
    },
    stops: data.stop,
  };
}

function parseBody(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw badRequest('The body is not JSON.');
  }
}
