import type { FollowUp } from '../event.ts';
import { round } from './answer-signals.ts';
import type { FollowUpClassifier } from './follow-up.ts';
import { frameOf, REASK_SIMILARITY, similarityOf } from './similarity.ts';
import { toolFailures } from './tool-failure.ts';
import type { Turns } from './turns.ts';
import type { Words } from './words.ts';

/**
 * What a turn says of the answer before it; undefined where it says nothing. A message that its
 * app wraps in the same words each time is as like its predecessor as that one was to its own, and
 * is no question asked again.
 */
export function followUpOf(
  turns: Turns,
  message: Words | null,
  classifier: FollowUpClassifier,
): FollowUp | undefined {
  const failures = toolFailures(turns.results);
  const failed = failures > 0 ? { tool_failures: failures } : {};
  const { user } = turns;
  if (user === null || message === null) {
    return failures > 0 ? { class: 'none', ...failed } : undefined;
  }
  const judged = classifier.classify(message);
  const [before, first] = turns.earlier;
  const similarity = before === undefined ? null : similarityOf(before, user);
  const alike = similarity !== null && similarity >= REASK_SIMILARITY;
  const wrapped = alike && first !== undefined && isAlike(first, before as string);
  return {
    class: judged.class,
    ...(similarity === null ? {} : { similarity: round(similarity) }),
    ...(alike && !wrapped && judged.class !== 'satisfied' ? { reask: true } : {}),
    ...(judged.correction ? { correction: true } : {}),
    ...failed,
  };
}

const FRAME_MIN = 0.5;

function isAlike(earlier: string, later: string): boolean {
  if (earlier === later) return false;
  return frameOf(earlier, later) >= FRAME_MIN;
}
