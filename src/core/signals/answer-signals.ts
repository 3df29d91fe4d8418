import type { Call, Outcome } from '../call.ts';
import type { AnswerSignals, FinishAnomaly } from '../event.ts';
import { languageMismatch, namesLanguage } from './language-mismatch.ts';
import type { Lengths } from './lengths.ts';
import { refusalOf } from './refusal.ts';
import { END_CHARS, type SaidText } from './said.ts';
import { type AskedFormat, schemaViolation } from './schema-violation.ts';
import { systemOf } from './turns.ts';
import { type Words, wordsOf } from './words.ts';

export interface AnsweredCall {
  readonly call: Pick<Call, 'endpoint' | 'body'>;
  readonly outcome: Outcome['outcome'];
  readonly finish: string | null;
  readonly said: SaidText;
  /** The last message of the user, or null. */
  readonly asked: Words | null;
  readonly format: AskedFormat | null;
  /** Lengths of the agent's answers. */
  readonly lengths: Lengths;
}

type Seen = { -readonly [key in keyof AnswerSignals]: AnswerSignals[key] };

/** What the rules see in a call's answer; undefined where they see nothing. Never throws. */
export function answerSignals(answered: AnsweredCall): AnswerSignals | undefined {
  const { outcome, said, finish } = answered;
  if (outcome === 'aborted') return abortSignals(answered);
  if (outcome !== 'ok') return undefined;
  const seen: Seen = { chars: said.chars };
  const anomaly = finishAnomaly(finish, said);
  if (anomaly !== null) seen.finish = anomaly;
  if (said.refused) seen.refusal = 'api';
  // A cut answer is not what the model would have said; one that calls a tool is not its last word.
  if (anomaly !== null || said.tools > 0) return seen;
  if (answered.format !== null) return withSchema(seen, answered, answered.format);
  const words = wordsOf(said.ends(), END_CHARS);
  const refusal = refusalOf(words, said.chars);
  if (refusal !== null) seen.refusal ??= refusal;
  const length = answered.lengths.add(said.chars);
  if (length !== null) seen.length = length;
  const language = languagesOf(answered, words);
  if (language !== null) seen.language = language;
  return seen;
}

function abortSignals({ said, lengths }: AnsweredCall): AnswerSignals {
  const median = lengths.median();
  const share = median === null ? {} : { abort_share: round(Math.min(1, said.chars / median)) };
  return { abort_chars: said.chars, ...share };
}

function withSchema(seen: Seen, { said }: AnsweredCall, format: AskedFormat): AnswerSignals {
  const whole = said.whole();
  if (whole === null || said.refused) return seen;
  const violation = schemaViolation(whole, format);
  if (violation !== null) seen.schema = violation;
  return seen;
}

function languagesOf({ asked, call }: AnsweredCall, words: Words) {
  if (asked === null) return null;
  const languages = languageMismatch(asked, words);
  if (languages === null) return null;
  // Rare, so only now: an operator may have asked for the answer's language.
  const system = systemOf(call);
  return system !== null && namesLanguage(wordsOf(system, SYSTEM_CHARS)) ? null : languages;
}

/** Read of a system prompt at each end. */
const SYSTEM_CHARS = 600;

/** `tool_calls` without a call is as empty as `stop` without a word. */
function finishAnomaly(finish: string | null, said: SaidText): FinishAnomaly | null {
  if (finish === 'length') return 'truncated';
  if (finish === 'content_filter') return 'filtered';
  if (said.chars === 0 && said.tools === 0) return 'empty';
  return finish === null ? 'missing' : null;
}

/** Three digits are more than these numbers are worth. */
export function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
