import {
  type ChatHistoryItem,
  type ChatWrapper,
  type GgufMetadata,
  JinjaTemplateChatWrapper,
  type LlamaModel,
  resolveChatWrapper,
  type Token,
} from 'node-llama-cpp';
import { messageOf } from '../core/errors.ts';
import type { ChatMessage } from './chat-request.ts';
import { badRequest } from './engine-error.ts';

export interface Prompt {
  readonly tokens: Token[];
  /** Tokens that end an answer, beside the model's own end-of-generation ones. */
  readonly stop_tokens: ReadonlySet<Token>;
}

/** Renders messages to the tokens that the model expects before its answer. */
export type RenderPrompt = (messages: readonly ChatMessage[]) => Prompt;

/**
 * The model's own chat template over just the messages given: no system prompt is added, and text
 * of a message never becomes a special token. Throws an EngineError where the template refuses
 * them.
 */
export function createRenderPrompt(model: LlamaModel): RenderPrompt {
  const wrappers = wrappersOf(model);
  return (messages) => {
    const answer: ChatHistoryItem = { type: 'model', response: [] };
    const chatHistory = [...messages.map(historyItem), answer];
    let refused: unknown;
    for (const wrapper of wrappers) {
      try {
        return render(wrapper, chatHistory, model);
      } catch (thrown) {
        refused = thrown;
      }
    }
    throw badRequest(`The model's chat template refused: ${messageOf(refused)}`, 'messages');
  };
}

/** As given first; templates that insist on alternating roles get neighbours joined. */
function wrappersOf(model: LlamaModel): readonly ChatWrapper[] {
  const template = templateOf(model.fileInfo.metadata);
  if (template === null) return [resolveChatWrapper(model)];
  const { tokenizer } = model;
  return [false, true].map(
    (joinAdjacentMessagesOfTheSameType) =>
      new JinjaTemplateChatWrapper({
        template,
        tokenizer,
        reasoning: null,
        joinAdjacentMessagesOfTheSameType,
      }),
  );
}

function templateOf(metadata: GgufMetadata): string | null {
  const template = metadata.tokenizer?.chat_template;
  return typeof template === 'string' && template !== '' ? template : null;
}

function historyItem(message: ChatMessage): ChatHistoryItem {
  if (message.role === 'system' || message.role === 'developer') {
    return { type: 'system', text: message.content };
  }
  if (message.role === 'assistant') return { type: 'model', response: [message.content] };
  return { type: 'user', text: message.content };
}

function render(wrapper: ChatWrapper, chatHistory: ChatHistoryItem[], model: LlamaModel): Prompt {
  const state = wrapper.generateContextState({ chatHistory });
  const triggers = state.stopGenerationTriggers.map((text) => text.tokenize(model.tokenizer));
  return {
    tokens: state.contextText.tokenize(model.tokenizer),
    stop_tokens: new Set(triggers.flatMap((tokens) => (tokens.length === 1 ? tokens : []))),
  };
}
