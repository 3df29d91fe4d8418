/**
 * A prompt patch is data: operations with literal texts, of which all apply to a call or none. One
 * version never changes; its digest is the SHA-256 of its canonical JSON.
 */
export interface PromptVersion {
  /** Calls that it is for; where it is absent, all of the agents that name it. */
  readonly match?: PromptMatch;
  readonly ops: readonly PromptOp[];
  /** What `{{name}}` stands for in the texts of this version; nowhere else is it looked for. */
  readonly vars?: Readonly<Record<string, PromptVariable>>;
  readonly limits?: { readonly tokens_added_max: number };
  /** `name@version` or a digest that it was made from; who made it; why. For people. */
  readonly parent?: string;
  readonly author?: PromptAuthor;
  readonly note?: string;
}

export type PromptAuthor = 'human' | 'oracle' | 'gepa' | 'dspy';

/** Every condition that is given must hold. */
export interface PromptMatch {
  /** What the client asks for as `model`; `*` stands for any characters. */
  readonly models?: readonly string[];
  readonly endpoints?: readonly PatchedEndpoint[];
  /** SHA-256 in hex of the system text that the patch was made for. */
  readonly system_sha256?: string;
}

export type PatchedEndpoint = 'chat.completions' | 'responses' | 'messages';

/**
 * The stable zone is the same text in every call, so that a provider's prompt cache holds; what may
 * differ from call to call belongs to the volatile one, the last thing that a user said.
 */
export type PromptOp =
  | SystemOp
  | {
      readonly op: 'replace';
      readonly target: 'system';
      /** Literal; must stand there `expect` times (1), or the patch is not applied. */
      readonly anchor: string;
      readonly expect?: number;
      readonly text: string;
    }
  | {
      readonly op: 'fewshot.insert';
      readonly at: 'after-system';
      readonly messages: readonly ExampleMessage[];
    }
  | { readonly op: 'user.suffix'; readonly text: string; readonly zone?: 'volatile' };

export interface SystemOp {
  readonly op: 'system.append' | 'system.prepend';
  readonly text: string;
  readonly zone?: 'stable';
}

export interface ExampleMessage {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

export interface PromptVariable {
  /** `header:x-…` of the client's request, or `call:agent`, `call:model`, `call:date`. */
  readonly from: string;
  /** The most characters of a value; a longer one does not count. */
  readonly max?: number;
  /** The values that count; without it a single word does, and only in the volatile zone. */
  readonly enum?: readonly string[];
  /** Instead of a value that is missing or does not count; without it the patch is skipped. */
  readonly default?: string;
}

/** Why a patch was not applied; the last part of the marker `prompt-patcher:<reason>`. */
export type Refusal =
  | 'malformed'
  | 'no_match'
  | 'anchor_missing'
  | 'anchor_ambiguous'
  | 'no_user_turn'
  | 'no_start'
  | 'variable_missing';

export interface Refused {
  readonly refused: Refusal;
}

export function isRefused(value: unknown): value is Refused {
  return value !== null && typeof value === 'object' && Object.hasOwn(value, 'refused');
}

/** All texts of an operation that reach a prompt. */
export function textsOf(op: PromptOp): readonly string[] {
  return op.op === 'fewshot.insert' ? op.messages.map(({ content }) => content) : [op.text];
}

/** About four bytes a token: an upper estimate for prose, where no tokenizer is worth its cost. */
export function estimatedTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4);
}

/** The most tokens that a version adds to a call, every variable at its longest. */
export function tokensAdded({ ops, vars = {} }: Pick<PromptVersion, 'ops' | 'vars'>): number {
  const texts = ops.flatMap(textsOf);
  const written = texts.reduce((sum, text) => sum + estimatedTokens(text), 0);
  const filled = Object.entries(vars).reduce((sum, [name, variable]) => {
    const uses = texts.reduce((n, text) => n + text.split(`{{${name}}}`).length - 1, 0);
    return sum + uses * longestOf(variable);
  }, 0);
  return written + filled;
}

const WORD_MAX = 64;

export function longestOf(variable: PromptVariable): number {
  const { enum: values, default: fallback = '', max = WORD_MAX } = variable;
  const longest = [...(values ?? []), fallback].map(estimatedTokens);
  // A word may be of any script: four bytes a character at most.
  return Math.max(...longest, values ? 0 : max);
}
