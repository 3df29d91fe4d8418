import type { SampleTurn } from '../prompt/sample.ts';

/** What was asked, what was answered, and what the user said next: all that a follow-up is. */
export interface Exchange {
  readonly question: string;
  readonly answer: string;
  readonly next: string;
}

/** The newest exchange of a conversation that ends with its user; null where there is none. */
export function exchangeIn(turns: readonly SampleTurn[]): Exchange | null {
  const answered = turns.findLastIndex(({ role }) => role === 'assistant');
  const next = textOf(turns.slice(answered + 1), 'user');
  const before = turns.slice(0, Math.max(0, answered));
  const asked = before.findLastIndex(({ role }) => role === 'user');
  const question = before[asked]?.text ?? '';
  const answer = textOf(turns.slice(asked + 1, answered + 1), 'assistant');
  if (next === '' || question === '' || answer === '') return null;
  return { question, answer, next };
}

function textOf(turns: readonly SampleTurn[], of: SampleTurn['role']): string {
  return turns.flatMap(({ role, text }) => (role === of ? [text] : [])).join('\n');
}
