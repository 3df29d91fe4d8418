import { GatewayError } from '../../core/errors.ts';
import { linesOf } from '../../core/prompt/diff.ts';
import { readCandidate, readCandidates } from '../../store/prompt-candidates.ts';
import { forgetSamples } from '../../store/prompt-samples.ts';
import type { OracleContext } from '../context.ts';
import type { OwnCallsDeps } from '../models/own-calls-deps.ts';
import { type Candidate, candidateOf } from './candidate.ts';
import type { CandidateSummary, Proposals } from './proposals.ts';
import type { SampleInbox } from './sample-inbox.ts';

const LISTED = 100;

/** Proposals as they are stored, for people; and what lets a person's samples go. */
export function viewsOver(
  context: OracleContext,
  own: OwnCallsDeps,
  inbox: SampleInbox,
): Omit<Proposals, 'status'> {
  const { db } = context.store;
  return {
    async list() {
      const plans = await planStates(context);
      const candidates = (await readCandidates(db, LISTED)).map(candidateOf);
      return candidates.map((one) => summaryOf(one, plans));
    },
    async show(id) {
      const row = await readCandidate(db, id);
      if (!row) throw new GatewayError('not_found', `There is no proposal ${id}.`, { param: 'id' });
      const candidate = candidateOf(row);
      return {
        ...summaryOf(candidate, await planStates(context)),
        calls: candidate.calls,
        lines: candidate.content ? linesOf(candidate.content) : [],
      };
    },
    async forget({ tenant, user, session }) {
      const named = [user, session].filter((one) => one !== undefined);
      const hashes = named.map((one) => own.hash(tenant, one));
      // What waits to be stored is theirs as well.
      await inbox.tend(context.loaded().policy, context.clock.policy_ms());
      return { deleted: await forgetSamples(db, hashes) };
    },
  };
}

async function planStates(context: OracleContext): Promise<ReadonlyMap<string, string>> {
  const plans = await context.ledger.plans();
  return new Map(plans.map(({ id, state }) => [id, state]));
}

function summaryOf(candidate: Candidate, plans: ReadonlyMap<string, string>): CandidateSummary {
  const { pairs, content: _whole, calls: _calls, tenant: _tenant, ...rest } = candidate;
  const count = (outcome: string): number => pairs.filter((one) => one.outcome === outcome).length;
  return {
    ...rest,
    pairs: { win: count('win'), loss: count('loss'), tie: count('tie') },
    plan_state: rest.plan === null ? null : (plans.get(rest.plan) ?? null),
  };
}
