import { messageOf } from '../core/errors.ts';
import { type Folded, fold } from '../core/fold.ts';
import type { Row } from '../core/oracle.ts';
import type { PluginRegistry } from '../core/plugin.ts';
import type { Contents, Policy } from '../core/policy.ts';
import { isPromptRow } from '../core/prompt/rows.ts';
import type { ProviderRegistry } from '../core/provider.ts';
import { agentSchema } from './gateway-schema.ts';
import { schemaProblems } from './schema-problems.ts';
import { agentProblems } from './semantics.ts';

interface Registries {
  readonly plugins: PluginRegistry;
  readonly providers: ProviderRegistry;
}

/**
 * A fold whose result also stands by the loader's rules. Gates have checked each row before it was
 * executed, but the YAML may have been edited since: a row that an edit made senseless is
 * superseded like one whose `before` changed, and never keeps the rest from being served.
 */
export function foldChecked(
  base: Policy,
  rows: readonly Row[],
  contents: Contents,
  registries: Registries,
): Folded {
  const whole = tryFold(base, rows, contents);
  if (typeof whole !== 'string') {
    if (rows.every((row) => rowProblem(whole.policy, row, registries) === null)) return whole;
  }
  return foldOneByOne(base, rows, contents, registries);
}

function foldOneByOne(
  base: Policy,
  rows: readonly Row[],
  contents: Contents,
  registries: Registries,
): Folded {
  const accepted: Row[] = [];
  const superseded: { id: string; reason: string }[] = [];
  let policy = base;
  for (const row of [...rows].sort((left, right) => left.seq - right.seq)) {
    const reason = reasonAgainst(row);
    if (reason !== null) superseded.push({ id: row.id, reason });
  }
  return { policy, applied: accepted.map((row) => row.id), superseded };

  function reasonAgainst(row: Row): string | null {
    const next = tryFold(base, [...accepted, row], contents);
    if (typeof next === 'string') return next;
    const own = next.superseded.find((one) => one.id === row.id);
    const problem = own?.reason ?? rowProblem(next.policy, row, registries);
    if (problem !== null) return problem;
    accepted.push(row);
    policy = next.policy;
    return null;
  }
}

/** A row from a damaged or foreign ledger may hold what no fold can read. */
function tryFold(base: Policy, rows: readonly Row[], contents: Contents): Folded | string {
  try {
    return fold(base, rows, contents);
  } catch (thrown) {
    return `the row cannot be read: ${messageOf(thrown)}`;
  }
}

/** What is wrong with the agents that a row concerns; a prompt's may be any of them. */
function rowProblem(policy: Policy, row: Row, registries: Registries): string | null {
  const agents = isPromptRow(row) ? Object.keys(policy.agents) : [row.agent];
  for (const agent of agents) {
    const problem = agentProblem(policy, agent, registries);
    if (problem !== null) return problem;
  }
  return null;
}

function agentProblem(policy: Policy, agent: string, { plugins, providers }: Registries) {
  const entry = Object.hasOwn(policy.agents, agent) ? policy.agents[agent] : undefined;
  const shape = schemaProblems(agentSchema, entry)[0];
  if (shape) return `agents.${[agent, ...shape.path].join('.')}: ${shape.message}`;
  const [problem] = agentProblems(policy, agent, { plugins, providers }, null);
  return problem ? `${problem.tokens.join('.')}: ${problem.message}` : null;
}
