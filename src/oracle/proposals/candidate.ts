import type { JsonObject } from '../../core/canonical.ts';
import type { ProposalRefusal } from '../../core/prompt/guard/plain-advice.ts';
import type { ParetoPoint } from '../../core/prompt/pareto.ts';
import type { PromptVersion } from '../../core/prompt/version.ts';
import type { CandidateRow } from '../../store/prompt-candidates.ts';

/**
 * A prompt that a model proposed, from the reflection to its plan. Holds no word of any user: a
 * text that was refused is not kept, and pairs are outcomes and numbers.
 */
export interface Candidate {
  readonly id: string;
  readonly agent: string;
  readonly at_ms: number;
  readonly state: CandidateState;
  /** Why it is in its state, for people. */
  readonly reason: string;
  readonly refusal: ProposalRefusal | 'form' | 'bounds' | null;
  /** The calls that were reflected on, all of one tenant. */
  readonly tenant: string;
  readonly calls: readonly string[];
  /** What it was made from: the agent's prompt then. */
  readonly base: CandidateBase;
  /** The whole new version; null where it was refused. */
  readonly content: PromptVersion | null;
  readonly tokens_added: number;
  readonly pairs: readonly Pair[];
  readonly evidence: { readonly better: number; readonly worse: number };
  readonly point: ParetoPoint | null;
  /** Once it was handed over. */
  readonly prompt: string | null;
  readonly plan: string | null;
}

export interface CandidateBase {
  /** The prompt's name; where the agent has none, the name that it would get. */
  readonly name: string;
  readonly version: number | null;
  readonly digest: string | null;
}

export type CandidateState =
  /** The filter, the schema or the bounds did not let it through. */
  | 'refused'
  /** Compared on held-out calls, pair by pair. */
  | 'checking'
  | 'worse'
  | 'no_difference'
  /** Held-out calls were too few for a verdict. */
  | 'insufficient'
  /** Better, and on the front: the best of them is handed over. */
  | 'passed'
  | 'dominated'
  /** The ordinary loop has it: gates, approval, canary. */
  | 'planned'
  /** The agent's prompt is another by now. */
  | 'stale';

export interface Pair {
  readonly call: string;
  readonly outcome: 'win' | 'loss' | 'tie';
  readonly by: 'checks' | 'judge' | 'none';
  readonly base: Took;
  readonly candidate: Took;
}

export interface Took {
  readonly tokens: number;
  readonly ms: number;
}

export function rowOfCandidate(candidate: Candidate): CandidateRow {
  const { id, at_ms, agent, state } = candidate;
  return { id, at_ms, agent, state, row: candidate as unknown as JsonObject };
}

export function candidateOf({ row }: CandidateRow): Candidate {
  return row as unknown as Candidate;
}
