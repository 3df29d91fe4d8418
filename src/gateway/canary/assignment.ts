import type { AgentPlan } from '../../config/snapshot.ts';

/** The plan that a call is served by, and the experiment that it counts in. */
export interface Assignment {
  readonly plan: AgentPlan;
  readonly version: string;
  readonly experiment: string | null;
  /** `canary` or `control`, or of an A/B experiment the name of its arm. */
  readonly arm: string | null;
  readonly share: number | null;
}

/**
 * What an arm's permits, triggers and fuses are known by: a canary's by its experiment, which has
 * one; null of control and of calls in no experiment.
 */
export function watchedArm(experiment: string | null, arm: string | null): string | null {
  if (experiment === null || arm === null || arm === 'control') return null;
  return arm === 'canary' ? experiment : `${experiment}/${arm}`;
}
