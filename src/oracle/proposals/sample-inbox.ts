import type { Policy } from '../../core/policy.ts';
import type { PromptSample } from '../../core/prompt/sample.ts';
import { deleteSamples, insertSamples, tendSamples } from '../../store/prompt-samples.ts';
import type { Db } from '../../store/rows.ts';

/** Samples on their way from the gateway to the store; what is beyond the bound is lost. */
export interface SampleInbox {
  receive(sample: PromptSample): void;
  /** Stores what has come, unless the policy keeps nothing by now. */
  flush(policy: Policy): Promise<void>;
  /** Stores what has come, labels what has matured, deletes what is not kept any more. */
  tend(policy: Policy, policy_ms: number): Promise<void>;
}

const WAITING_MAX = 500;
/** As feedback matures for a promotion. */
const MATURED_MS = 30 * 60_000;

export function createSampleInbox(db: Db): SampleInbox {
  let waiting: PromptSample[] = [];
  const flush = async ({ capture }: Policy): Promise<void> => {
    const come = waiting;
    waiting = [];
    if (capture.bodies !== undefined) await insertSamples(db, come);
  };
  return {
    receive(sample) {
      if (waiting.length < WAITING_MAX) waiting.push(sample);
    },
    flush,
    async tend(policy, policy_ms) {
      await flush(policy);
      const { bodies } = policy.capture;
      if (bodies === undefined) return deleteSamples(db);
      const { days, kept_max } = bodies;
      await tendSamples(db, { now_ms: policy_ms, matured_ms: MATURED_MS, days, kept_max });
    },
  };
}
