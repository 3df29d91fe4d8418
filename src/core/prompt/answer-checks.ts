import type { AnswerCheck } from './proposal-policy.ts';

/** How many of the declared checks an answer passes. */
export function checksPassed(answer: string, checks: readonly AnswerCheck[]): number {
  return checks.filter((check) => passes(answer, check)).length;
}

function passes(answer: string, check: AnswerCheck): boolean {
  const { contains, not_contains, chars_min = 0, chars_max = Number.POSITIVE_INFINITY } = check;
  const folded = answer.toLowerCase();
  if (contains !== undefined && !folded.includes(contains.toLowerCase())) return false;
  if (not_contains !== undefined && folded.includes(not_contains.toLowerCase())) return false;
  const chars = Array.from(answer).length;
  if (chars < chars_min || chars > chars_max) return false;
  return check.json !== true || isJson(answer);
}

function isJson(answer: string): boolean {
  try {
    JSON.parse(answer);
    return true;
  } catch {
    return false;
  }
}
