import type { Tokens } from '../call.ts';

/** An answer that has come whole and of which nothing has reached the client yet. */
export interface Answer {
  /** Who gave it. */
  readonly target: string;
  /** OpenAI's `finish_reason`, whatever the dialect; null where the answer has none. */
  readonly finish: string | null;
  /** As the upstream reported them, or null. */
  readonly tokens: Tokens | null;
  /** What it says; read off the answer when first asked for. */
  content(): AnswerContent;
}

/** Of the first choice, where there are several. */
export interface AnswerContent {
  readonly text: string;
  /** It stands in the dialect's own field for refusals. */
  readonly refused: boolean;
  readonly tools: readonly AnsweredTool[];
  /** Mean natural logarithm of its tokens' probabilities; null where the answer has none. */
  readonly logprob: number | null;
}

export interface AnsweredTool {
  readonly name: string;
  /** JSON, if the model kept to it. */
  readonly arguments: string;
}

/** What a plugin says of an answer: ask the next target, and give this one to nobody. */
export interface AnswerVerdict {
  readonly next: true;
  /** A short word for the event and the metrics, such as `truncated`. */
  readonly reason: string;
  /** Whoever answers now is given without another look, so a stream need not be held back. */
  readonly last?: boolean;
}
