import type { AbMetric } from './entry.ts';

/** What an experiment has come to: data for people and programs, the same at every door. */
export interface AbReport {
  readonly arms: readonly AbArmReport[];
  readonly comparisons: readonly AbComparison[];
  readonly split: AbSplit;
  /** Whether the arms differ in how many rate; null where ratings do not decide. */
  readonly raters: AbSplit | null;
  readonly step: AbStep;
  /** What it comes to, in a sentence. */
  readonly sentence: string;
}

export interface AbArmReport {
  readonly arm: string;
  readonly share: number;
  /** Units that were drawn into it and called. */
  readonly units: number;
  /** Why it is no longer served, or null. */
  readonly dropped: string | null;
  readonly metrics: readonly AbValue[];
}

/** A metric in one arm, with its confidence sequence; null where there is too little. */
export interface AbValue {
  readonly metric: AbMetric;
  readonly n: number;
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** One treatment against control. Changes are shares of control's: −0.2 is a fifth less. */
export interface AbComparison {
  readonly arm: string;
  readonly metric: AbMetric;
  readonly role: 'primary' | 'guardrail' | 'also';
  /** What the change is a change of. */
  readonly of: string;
  readonly change: number | null;
  readonly low: number;
  /** Null where nothing bounds it from above. */
  readonly high: number | null;
  /** Evidence against "no difference", and the p value that holds at every look. */
  readonly e: number;
  readonly p: number;
  /** The level of this interval: the experiment's alpha, shared out. */
  readonly alpha: number;
  readonly proven: 'better' | 'worse' | null;
  /** A guardrail's: how much worse it may be, and whether it is proven to be worse than that. */
  readonly bound?: number;
  readonly broken?: boolean;
}

/** `doubtful`: not failed, but so odd that nothing good is concluded while it lasts. */
export interface AbSplit {
  readonly state: 'ok' | 'doubtful' | 'failed';
  readonly e: number;
  readonly p: number;
}

export type AbStep =
  | { readonly kind: 'continue' }
  | { readonly kind: 'drop'; readonly arm: string; readonly reason: string }
  | { readonly kind: 'stop'; readonly verdict: AbVerdict };

export interface AbVerdict {
  readonly kind: 'winner' | 'harm' | 'futile' | 'undecided' | 'void' | 'manual';
  /** The winner. */
  readonly arm: string | null;
  readonly sentence: string;
}
