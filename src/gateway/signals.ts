import type { Categories } from '../config/categories.ts';
import type { Call, Endpoint, Outcome } from '../core/call.ts';
import { messageOf } from '../core/errors.ts';
import type { CallEvent, Origin, Relation } from '../core/event.ts';
import type { Log } from '../core/log.ts';
import { answerSignals } from '../core/signals/answer-signals.ts';
import { type FollowUpClassifier, followUpRules } from '../core/signals/follow-up.ts';
import { followUpOf } from '../core/signals/follow-up-of.ts';
import { createLengths, type Lengths } from '../core/signals/lengths.ts';
import { END_CHARS, SaidText } from '../core/signals/said.ts';
import { askedFormat, CHECKED_CHARS_MAX } from '../core/signals/schema-violation.ts';
import { turnsOf } from '../core/signals/turns.ts';
import { wordsOf } from '../core/signals/words.ts';

/**
 * What is learned of a call beside how it went: read off its messages and its answer after the
 * answer has been written, told in numbers and classes (docs/signals.md). No text outlives a call.
 */
export interface Signals {
  /** What the call's answer is to be collected in, whole up to `whole_max` characters. */
  open(call: Call, whole_max?: number): SaidText;
  /** Once for each call, when its answer has left. Never throws. */
  observe(seen: SeenCall): Learned;
}

export interface SeenCall {
  readonly call: Call;
  readonly relation: Relation | null;
  readonly origin: Origin;
  readonly outcome: Outcome['outcome'];
  readonly finish: string | null;
  /** A plugin answered: its words are none of a model's. */
  readonly replied: boolean;
  readonly said: SaidText;
  /** Of the snapshot that the call sees; null where the policy has none. */
  readonly categories: Categories | null;
}

/** Fields of the event; those that say nothing are absent. */
export type Learned = Pick<CallEvent, 'category' | 'signals' | 'follow_up'>;

type Draft = { -readonly [field in keyof Learned]: Learned[field] };

export interface SignalsDeps {
  readonly log: Log;
  /** The rules, by default. */
  readonly classifier?: FollowUpClassifier;
}

/** Agents whose lengths are kept; they are names of the policy, so more are those of old ones. */
const AGENTS_MAX = 1000;

/** Endpoints whose answers are words. */
const SPOKEN: ReadonlySet<Endpoint> = new Set([
  'chat.completions',
  'responses',
  'completions',
  'messages',
]);

export function createSignals({ log, classifier = followUpRules }: SignalsDeps): Signals {
  const lengths = new Map<string, Lengths>();
  const lengthsOf = (agent: string): Lengths => {
    const known = lengths.get(agent);
    if (known) return known;
    const [oldest] = lengths.keys();
    if (lengths.size >= AGENTS_MAX && oldest !== undefined) lengths.delete(oldest);
    const made = createLengths();
    lengths.set(agent, made);
    return made;
  };

  const learn = (seen: SeenCall): Learned => {
    const { call, relation, categories, outcome, finish, said } = seen;
    const learned: Draft = {};
    if (categories !== null) learned.category = categories.of(call);
    if (seen.origin !== 'client' || !SPOKEN.has(call.endpoint)) return learned;
    const turns = turnsOf(call);
    const asked = turns.user === null ? null : wordsOf(turns.user, END_CHARS);
    const follow_up = relation === 'turn' ? followUpOf(turns, asked, classifier) : undefined;
    if (!seen.replied) {
      const format = askedFormat(call);
      const lengths = lengthsOf(call.agent);
      const signals = answerSignals({ call, outcome, finish, said, asked, format, lengths });
      if (signals !== undefined) learned.signals = signals;
    }
    if (follow_up !== undefined) learned.follow_up = follow_up;
    return learned;
  };

  return {
    open(call, whole_max = 0) {
      const checked_max = askedFormat(call) === null ? 0 : CHECKED_CHARS_MAX;
      return new SaidText(Math.max(checked_max, whole_max));
    },
    observe(seen) {
      try {
        return learn(seen);
      } catch (thrown) {
        log.error('no signals of a call', { call: seen.call.id, error: messageOf(thrown) });
        return {};
      }
    },
  };
}
