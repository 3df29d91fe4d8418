import { digestOf } from '../core/canonical.ts';
import { instantiate, type LeafHost } from '../core/definition.ts';
import { GatewayError, messageOf } from '../core/errors.ts';
import type {
  Before,
  Gate,
  GateRegistry,
  GateVerdict,
  Mutation,
  Plan,
  Proposal,
  Verdict,
} from '../core/oracle.ts';
import type { Validation } from './oracle.ts';

export interface NamedGate {
  readonly name: string;
  readonly gate: Gate;
}

/** The policy's gates in their order. A name without a gate must not pass for one that passed. */
export function gatesInOrder(
  names: readonly string[],
  registry: GateRegistry,
  host: LeafHost,
): readonly NamedGate[] {
  return names.map((name) => {
    const definition = registry.get(name);
    if (!definition) throw new GatewayError('policy_invalid', `There is no gate named ${name}.`);
    return { name, gate: instantiate(definition, {}, host) };
  });
}

/**
 * Every gate's verdict on every mutation of a plan. Pure: the same data gives the same verdicts.
 */
export function validate(
  plan: Pick<Plan, 'origin' | 'mutations'>,
  approved: boolean,
  situation: Omit<Before, 'earlier'>,
  gates: readonly NamedGate[],
): readonly GateVerdict[] {
  const { problemsOf: _function, ...data } = situation;
  const situationDigest = digestOf(data);
  return plan.mutations.flatMap((mutation, index) => {
    const earlier = plan.mutations.slice(0, index);
    const proposal: Proposal = { mutation, origin: plan.origin, approved };
    const before: Before = { ...situation, earlier };
    return gates.map(({ name, gate }) => ({
      mutation: mutation.id,
      gate: name,
      ...verdictOf(gate, proposal, before),
      inputs_sha256: digestOf({ gate: name, proposal, earlier, situation: situationDigest }),
    }));
  });
}

/** A gate that throws has not passed. */
function verdictOf(gate: Gate, proposal: Proposal, before: Before): Verdict {
  try {
    const { verdict, reason } = gate(proposal, before);
    return { verdict, reason };
  } catch (thrown) {
    return { verdict: 'fail', reason: `the gate failed: ${messageOf(thrown)}` };
  }
}

export function statusOf(verdicts: readonly GateVerdict[]): Validation['status'] {
  if (verdicts.some(({ verdict }) => verdict === 'fail')) return 'failed';
  if (verdicts.some(({ verdict }) => verdict === 'needs_approval')) return 'needs_approval';
  return 'passed';
}

/** Gates whose 'no' passes with time: an hour ends, an experiment ends. */
const PASSING_GATES: ReadonlySet<string> = new Set(['rate', 'conflict']);

/** Whether a failed plan can ever pass as it stands; a value edited meanwhile never comes back. */
export function failedForGood(verdicts: readonly GateVerdict[]): boolean {
  return verdicts.some(
    ({ verdict, gate, reason }) =>
      verdict === 'fail' && (!PASSING_GATES.has(gate) || reason.startsWith('superseded')),
  );
}

export function reasonsOf(
  verdicts: readonly GateVerdict[],
  kind: GateVerdict['verdict'],
  mutation?: Mutation['id'],
): string {
  return verdicts
    .filter((one) => one.verdict === kind && (!mutation || one.mutation === mutation))
    .map(({ gate, reason }) => `${gate}: ${reason}`)
    .join('; ');
}
