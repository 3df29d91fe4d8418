import type { OracleContext } from '../context.ts';
import { confidenceIn, mutationOf } from '../decide.ts';
import { currentPlans } from '../plans.ts';
import { importPrompt } from '../prompts.ts';
import { canariesOf, inForceOf, isOpen, planRecord } from '../records.ts';
import type { Candidate } from './candidate.ts';

export type HandedOver =
  | { readonly plan: string; readonly prompt: string }
  /** Why not now. */
  | { readonly waits: string };

/**
 * Makes of a candidate a version under the proposals' label, and of that an ordinary plan of the
 * oracle's: all gates, the approval and the canary are still before it.
 */
export async function handOver(
  context: OracleContext,
  candidate: Candidate,
  label: string,
): Promise<HandedOver> {
  const { agent, content, base } = candidate;
  if (content === null) return { waits: 'it has no content' };
  const busy = await busyWith(context, agent);
  if (busy !== null) return { waits: busy };
  const { version } = await importPrompt(context, {
    name: base.name,
    content,
    label,
    by: 'oracle',
    note: `proposal ${candidate.id}`,
  });
  const prompt = `${base.name}@${version}`;
  return context.ledger.exclusive(async (commit) => {
    // Asked again: a person may have planned something meanwhile.
    const again = await busyWith(context, agent);
    if (again !== null) return { waits: again };
    const view = await context.ledger.view();
    const kind = context.kinds.find(({ type }) => type === 'PROMPT_PATCH');
    if (!kind) return { waits: 'there is no PROMPT_PATCH here' };
    const { policy } = inForceOf(context.loaded(), view.rows);
    const patch = { agents: { [agent]: { prompt } } };
    const mutation = {
      ...mutationOf(kind, agent, patch, policy, context.createId),
      confidence: confidenceIn(kind.type, view.rows),
      why: `Proposal ${candidate.id}: ${candidate.reason}, on held-out calls.`,
    };
    const plan = planRecord(context, 'oracle', [mutation], null);
    await commit({ plans: [plan] });
    return { plan: plan.id, prompt };
  });
}

/** What keeps an agent from another plan now, or null. */
export async function busyWith(context: OracleContext, agent: string): Promise<string | null> {
  const open = (await currentPlans(context)).find(
    (plan) => isOpen(plan) && plan.mutations.some((mutation) => mutation.agent === agent),
  );
  if (open) return `plan ${open.id} is open`;
  const live = canariesOf(await context.ledger.view()).find(({ row }) => row.agent === agent);
  return live ? `experiment with ${live.row.id} is live` : null;
}
