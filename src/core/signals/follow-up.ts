import type { FollowUpClass } from '../event.ts';
import { CONTRASTS, NEGATIONS } from './lists/denials.ts';
import { FOLLOW_UP_PHRASES } from './lists/follow-up-phrases.ts';
import { PRAISE_PHRASES } from './lists/praise-phrases.ts';
import { type FoundPhrase, phrasesOf } from './phrases.ts';
import { hashOfWord, WORDS_MAX, type Words } from './words.ts';

/**
 * Says what the user's next message means for the answer before it. Rules tell it at once, of a
 * message's words; a model later, of the whole exchange, where the policy names one. Neither keeps
 * anything of what it reads.
 */
export interface FollowUpClassifier<Given = Words, Told = Judged> {
  readonly name: string;
  /** Must not throw, nor reject. */
  classify(given: Given): Told;
}

export interface Judged {
  readonly class: FollowUpClass;
  /** Whether the user sets the answer, or how it understood them, right. */
  readonly correction: boolean;
}

const NOTHING: Judged = { class: 'none', correction: false };

type Said = keyof typeof FOLLOW_UP_PHRASES | keyof typeof PRAISE_PHRASES;

/** What each says, the worst first; and the longest message that it is believed in, in words. */
const VERDICTS: Readonly<Record<Said, Judged & { readonly words_max: number }>> = {
  wrong: { class: 'wrong_answer', correction: true, words_max: 120 },
  meant: { class: 'wants_different', correction: true, words_max: 120 },
  broken: { class: 'wrong_answer', correction: false, words_max: 16 },
  unclear: { class: 'needs_clarification', correction: false, words_max: 30 },
  other: { class: 'wants_different', correction: false, words_max: 20 },
  thanks: { class: 'satisfied', correction: false, words_max: 12 },
  praise: { class: 'satisfied', correction: false, words_max: 4 },
};
const ORDER = Object.keys(VERDICTS) as readonly Said[];
const PHRASES = phrasesOf<Said>({ ...FOLLOW_UP_PHRASES, ...PRAISE_PHRASES });
const DENIED = phrasesOf({ yes: NEGATIONS });
const TAKEN_BACK = phrasesOf({ yes: CONTRASTS });

/** Words in which a verdict begins, at the latest: what comes later is about something else. */
const BEGINS_WITHIN = 10;
/** Thanks stand among the first words. */
const THANKS_WITHIN = 3;
/** How many words before a phrase may deny it: `I do not think that is wrong`. */
const DENIAL_REACH = 4;

/** The rules (docs/signals.md). Chinese and Japanese count in characters. */
export const followUpRules: FollowUpClassifier = {
  name: 'rules',
  classify(message) {
    let worst: Said | null = null;
    let from = 0;
    while (from < BEGINS_WITHIN) {
      const found = PHRASES.find(message, BEGINS_WITHIN - from, from);
      if (found === null) break;
      const worse = worst === null || ORDER.indexOf(found.tag) < ORDER.indexOf(worst);
      if (worse && isMeant(found, message)) worst = found.tag;
      from = found.end;
    }
    if (worst === null) return NOTHING;
    const { class: verdict, correction } = VERDICTS[worst];
    return { class: verdict, correction };
  },
};

function isMeant({ tag, at }: FoundPhrase<Said>, message: Words): boolean {
  if (message.count > VERDICTS[tag].words_max) return false;
  const praises = tag === 'thanks' || tag === 'praise';
  if (isDenied(message, at, praises)) return false;
  return !praises || (at < THANKS_WITHIN && TAKEN_BACK.find(message, WORDS_MAX) === null);
}

/** A first word such as `no` denies thanks; before all else it says the same a second time. */
function isDenied(message: Words, at: number, praises: boolean): boolean {
  const refutes = !praises && at > 0 && REFUTATIONS.has(message.hashes[0] as number);
  const from = Math.max(refutes ? 1 : 0, at - DENIAL_REACH);
  return at > from && DENIED.find(message, at - from, from) !== null;
}

/** A message that begins so refutes the answer; it does not deny what follows. */
const REFUTATIONS: ReadonlySet<number> = new Set(
  ['no', 'non', 'não', 'нет', 'ні', 'nie'].map(hashOfWord),
);
