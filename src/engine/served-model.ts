import { access } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Llama, LlamaContextSequence, LlamaModel } from 'node-llama-cpp';
import { messageOf } from '../core/errors.ts';
import type { EngineSpec } from '../core/provider.ts';
import { type AdapterFiles, createAdapterFiles } from './adapter-files.ts';
import type { ChatRequest } from './chat-request.ts';
import { createRenderPrompt } from './chat-template.ts';
import { badRequest, EngineError } from './engine-error.ts';
import { type Generated, generate } from './generate.ts';
import { createSlots, type SlotsLoad } from './slots.ts';

/**
 * One provider's model as the engine serves it: a base, and adapters asked for as `base:adapter`.
 */
export interface ServedModel {
  /** The base's id: the model file's name without `.gguf`. */
  readonly id: string;
  readonly adapters: readonly string[];
  /** Why it cannot answer, or null. */
  readonly failure: string | null;
  /** How busy its contexts are; absent where it has none. */
  load?(): SlotsLoad;
  /**
   * Calls `start` once all that can be refused has been, then `text` with parts of the answer.
   * Throws an EngineError before `start`, or the signal's reason.
   */
  answer(request: ChatRequest, signal: AbortSignal, sink: AnswerSink): Promise<Answered>;
}

export interface AnswerSink {
  start(): void | Promise<void>;
  text(text: string): void | Promise<void>;
}

export interface Answered extends Generated {
  readonly prompt_tokens: number;
}

/** Requests that may wait for one adapter's context. */
export const WAITING_MAX = 64;
/** Prompts of more characters a context token are refused unread: tokenizing them takes seconds. */
const CHARACTERS_PER_TOKEN_MAX = 256;
/** llama.cpp's size of a batch; a smaller context needs no larger one. */
const BATCH_TOKENS = 512;

interface Slot {
  readonly sequence: LlamaContextSequence;
  dispose(): Promise<void>;
}

export function baseId(spec: EngineSpec): string {
  return basename(spec.model, '.gguf');
}

/** Loads the model. Never rejects: a model that does not load answers with the reason. */
export async function loadServedModel(llama: Llama, spec: EngineSpec): Promise<ServedModel> {
  try {
    await access(spec.model);
  } catch {
    return failedModel(spec, 'there is no such file, or it cannot be read');
  }
  try {
    const model = await llama.loadModel({ modelPath: spec.model });
    return servedModel(model, spec);
  } catch (thrown) {
    return failedModel(spec, messageOf(thrown));
  }
}

export function failedModel(spec: EngineSpec, reason: string): ServedModel {
  // Whose directory it is in is the operator's business, and in the log; clients read this.
  const why = reason.split('\n', 1)[0]?.replaceAll(spec.model, basename(spec.model));
  const failure = `Model ${basename(spec.model)} cannot be loaded: ${why}`;
  return {
    id: baseId(spec),
    adapters: Object.keys(spec.adapters),
    failure,
    answer: () =>
      Promise.reject(new EngineError(503, 'server_error', failure, { code: 'model_failed' })),
  };
}

function servedModel(model: LlamaModel, spec: EngineSpec): ServedModel {
  const render = createRenderPrompt(model);
  const files = createAdapterFiles();
  const slots = createSlots({
    slots: spec.slots,
    waiting_max: WAITING_MAX,
    make: (adapter) => createSlot(model, spec, files, adapter),
  });
  const id = baseId(spec);
  const adapters = Object.keys(spec.adapters);
  return {
    id,
    adapters,
    failure: null,
    load: () => slots.load(),
    async answer(request, signal, sink) {
      const adapter = adapterAsked(request.model, id, adapters);
      checkLength(request, spec.context_tokens);
      const prompt = render(request.messages);
      const room = spec.context_tokens - prompt.tokens.length;
      if (room <= 0) throw tooLong(spec.context_tokens, `${prompt.tokens.length} tokens`);
      const generation = {
        prompt,
        tokens_max: Math.min(request.tokens_max ?? room, room),
        sampling: request.sampling,
        stops: request.stops,
        signal,
      };
      const generated = await slots.use(adapter, signal, async (slot) => {
        await sink.start();
        return generate(model, slot.sequence, generation, (text) => sink.text(text));
      });
      return { ...generated, prompt_tokens: prompt.tokens.length };
    },
  };
}

/** The adapter's name, or '' for the base. */
function adapterAsked(asked: string, id: string, adapters: readonly string[]): string {
  if (asked === id) return '';
  const adapter = asked.startsWith(`${id}:`) ? asked.slice(id.length + 1) : null;
  if (adapter !== null && adapters.includes(adapter)) return adapter;
  throw new EngineError(404, 'NotFoundError', `The model \`${asked}\` does not exist.`, {
    param: 'model',
    code: 'model_not_found',
  });
}

function checkLength(request: ChatRequest, context_tokens: number): void {
  const characters = request.messages.reduce((sum, { content }) => sum + content.length, 0);
  if (characters <= context_tokens * CHARACTERS_PER_TOKEN_MAX) return;
  throw tooLong(context_tokens, `${characters} characters`);
}

function tooLong(context_tokens: number, size: string): EngineError {
  return badRequest(
    `This model's maximum context length is ${context_tokens} tokens; the messages have ${size}.`,
    'messages',
    'context_length_exceeded',
  );
}

async function createSlot(
  model: LlamaModel,
  spec: EngineSpec,
  files: AdapterFiles,
  adapter: string,
): Promise<Slot> {
  const filePath = spec.adapters[adapter];
  if (filePath !== undefined) await files.check(adapter, filePath);
  try {
    const context = await model.createContext({
      contextSize: spec.context_tokens,
      batchSize: Math.min(BATCH_TOKENS, spec.context_tokens),
      // More threads than free cores make an answer a hundred times slower, not faster.
      threads: 1,
      ...(filePath === undefined ? {} : { lora: { adapters: [{ filePath }] } }),
    });
    return { sequence: context.getSequence(), dispose: () => context.dispose() };
  } catch (cause) {
    if (filePath === undefined) throw cause;
    throw await files.broken(adapter, filePath, cause);
  }
}
