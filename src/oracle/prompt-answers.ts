import type { RowState } from '../core/oracle.ts';
import type { PromptVersion } from '../core/prompt/version.ts';
import type { PromptImpact } from '../store/prompt-impact.ts';

/** Prompts as the admin API and the command line see them. */

/** Who asks for a change of prompts, and why. */
interface Said {
  readonly by: string | null;
  readonly note: string | null;
}

export interface MoveLabel extends Said {
  readonly name: string;
  readonly label: string;
  readonly version: number;
  /** Where it must be now; null for nowhere, absent for wherever it is. */
  readonly expected?: number | null;
}

export interface RollbackLabel extends Said {
  readonly name: string;
  readonly label: string;
  readonly expected?: number | null;
}

export interface ImportPrompt extends Said {
  readonly name: string;
  /** What a version of a prompt file holds. */
  readonly content: unknown;
  /** A label to move to it at once. */
  readonly label?: string | null;
}

export interface PromptMoved {
  readonly name: string;
  readonly label: string | null;
  readonly from: number | null;
  readonly to: number | null;
  /** The version that it is about: of an import the one that holds the content. */
  readonly version: number | null;
  /** Whether every gateway process said within a second that it serves it. */
  readonly effective: boolean;
  /** True where nothing had to change. */
  readonly already: boolean;
  readonly rollback_key: string | null;
  readonly policy_version: string;
}

export interface PromptSummary {
  readonly name: string;
  readonly versions: readonly number[];
  readonly labels: Readonly<Record<string, number>>;
  readonly protected: readonly string[];
  /** Agents that name it, and the version that each gets outside experiments. */
  readonly agents: Readonly<Record<string, number>>;
}

export interface PromptDetail extends PromptSummary {
  readonly contents: readonly {
    readonly version: number;
    readonly digest: string;
    /** `file`, or the row that brought it. */
    readonly source: string;
    readonly tokens_added: number;
    readonly content: PromptVersion;
  }[];
  /** Every move that a person made, newest first. */
  readonly history: readonly {
    readonly at_ms: number | null;
    readonly what: readonly string[];
    readonly state: RowState;
    readonly rollback_key: string;
    readonly reason: string | null;
  }[];
  readonly impact: readonly PromptImpact[];
}
