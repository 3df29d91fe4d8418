import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { messageOf } from '../../core/errors.ts';
import { matchesPattern } from '../../core/pointer.ts';
import { type Bound, type Policy, promptVersionOf } from '../../core/policy.ts';
import { paretoFront } from '../../core/prompt/pareto.ts';
import type { PromptProposals } from '../../core/prompt/proposal-policy.ts';
import { readCandidates, writeCandidate } from '../../store/prompt-candidates.ts';
import { readSamples, type StoredSample } from '../../store/prompt-samples.ts';
import type { OracleContext } from '../context.ts';
import type { NoAnswer } from '../models/models.ts';
import { type InForce, inForceOf } from '../records.ts';
import { type Candidate, candidateOf, rowOfCandidate } from './candidate.ts';
import { checkCandidate } from './check-candidate.ts';
import { busyWith, handOver } from './hand-over.ts';
import type { ProposalModels } from './proposal-models.ts';
import { foreignOf, judgeProposal, parseReflection, reflectionTurns } from './reflection.ts';

export interface StepFrame {
  readonly context: OracleContext;
  readonly models: ProposalModels;
  readonly asked: PromptProposals;
}

/** What an agent's step came to; `stopped` where no model may be asked any more. */
export interface Step {
  readonly told: string;
  readonly stopped: NoAnswer | null;
}

const CANDIDATES_READ = 100;
const HOUR_MS = 3_600_000;

/**
 * One step for one agent: goes on with the candidate that is being checked, hands over the best
 * that has passed where nothing else is planned, or reflects anew where it is time.
 */
export async function stepFor(agent: string, frame: StepFrame): Promise<Step> {
  const { context, asked } = frame;
  const { db } = context.store;
  const now = inForceOf(context.loaded(), (await context.ledger.view()).rows);
  const found = findPrompt(agent, asked, now.policy);
  if (typeof found === 'string') return waits(found);
  const stored = (await readCandidates(db, CANDIDATES_READ, agent)).map(candidateOf);
  const candidates = await withoutStale(stored, found, frame);
  const checking = candidates.find(({ state }) => state === 'checking');
  if (checking) return goOn(checking, now, frame);
  const [best] = await keepFront(candidates, frame);
  const busy = await busyWith(context, agent);
  if (best && busy === null) return handBest(best, frame);
  // While a plan is open the front may grow: who comes next is the best of several days.
  const last_ms = stored[0]?.at_ms ?? Number.NEGATIVE_INFINITY;
  const left_ms = last_ms + asked.every_hours * HOUR_MS - context.clock.policy_ms();
  if (left_ms > 0) {
    const next = `the next reflection is in ${(left_ms / HOUR_MS).toFixed(1)} h`;
    return waits(
      [best ? `${best.id} has passed and waits` : null, busy, next].filter(Boolean).join('; '),
    );
  }
  return reflect(agent, found, now, frame);
}

interface FoundPrompt {
  readonly name: string;
  readonly version: number | null;
  readonly digest: string | null;
  readonly bound: Bound;
}

/** The prompt that would get another version; or why no proposal could ever be tried. */
function findPrompt(
  agent: string,
  { label }: PromptProposals,
  policy: Policy,
): FoundPrompt | string {
  const entry = policy.agents[agent];
  if (!entry) return 'there is no such agent';
  const pointer = `/agents/${agent}/prompt`;
  const bound = boundOf(pointer, policy);
  if (!bound) return `no bound of oracle_policies.yaml lets ${pointer} be moved`;
  const own = entry.prompt === undefined ? null : promptVersionOf(policy.prompts, entry.prompt);
  if (entry.prompt !== undefined && own === null) return `prompt ${entry.prompt} is unknown`;
  const name = own?.name ?? `proposed.${agent.toLowerCase()}`;
  if (bound.candidates && !bound.candidates.includes(`${name}@${label}`)) {
    return `${name}@${label} is not among the candidates of the bound ${pointer}`;
  }
  return { name, version: own?.version ?? null, digest: own?.digest ?? null, bound };
}

export function boundOf(pointer: string, { oracle }: Policy): Bound | undefined {
  return Object.entries(oracle.bounds).find(([pattern]) => matchesPattern(pattern, pointer))?.[1];
}

/** Those that were made from another prompt than the agent has now come to an end. */
async function withoutStale(
  candidates: readonly Candidate[],
  { digest }: FoundPrompt,
  frame: StepFrame,
): Promise<readonly Candidate[]> {
  const kept: Candidate[] = [];
  for (const candidate of candidates) {
    const live = candidate.state === 'checking' || candidate.state === 'passed';
    if (!live || candidate.base.digest === digest) kept.push(candidate);
    else await keep({ ...candidate, state: 'stale', reason: 'the prompt is another now' }, frame);
  }
  return kept;
}

async function keep(candidate: Candidate, { context }: StepFrame): Promise<void> {
  await writeCandidate(context.store.db, rowOfCandidate(candidate));
}

/** Written, and counted where its state is another than it was. */
async function settleAs(candidate: Candidate, before: Candidate | null, frame: StepFrame) {
  await keep(candidate, frame);
  if (candidate.state === before?.state) return;
  const { metrics, log } = frame.context;
  metrics.add('hive_proposals_total', [candidate.state]);
  if (candidate.refusal !== null) {
    metrics.add('hive_proposal_refusals_total', [candidate.refusal]);
  }
  const { id, agent, state, reason } = candidate;
  log.info('prompt proposal', { id, agent, state, reason });
}

async function goOn(checking: Candidate, now: InForce, frame: StepFrame): Promise<Step> {
  const { context, models, asked } = frame;
  const { agent } = checking;
  const entry = now.policy.agents[agent];
  if (!entry) return waits('there is no such agent');
  const { days, kept_max } = context.loaded().policy.capture.bodies ?? { days: 1, kept_max: 1 };
  const half = { agent, half: 'held_out', limit: kept_max } as const;
  const held_out = await readSamples(context.store.db, half);
  const { candidate, stopped } = await checkCandidate(checking, {
    asked,
    entry,
    contents: now.contents,
    held_out,
    models,
    mark: () => randomUUID(),
    keep: (one) => keep({ ...one, state: 'checking' }, frame),
  });
  const old_ms = checking.at_ms + 2 * days * 24 * HOUR_MS;
  const late = candidate.state === 'checking' && context.clock.policy_ms() > old_ms;
  const ended = late ? { ...candidate, state: 'insufficient' as const } : candidate;
  await settleAs(ended, checking, frame);
  return {
    told: stopped?.reason ?? `${ended.id}: ${ended.reason}`,
    stopped: stopped?.cause ?? null,
  };
}

/** The front of those that have passed, the best first; the others are dominated. */
async function keepFront(candidates: readonly Candidate[], frame: StepFrame) {
  const passed = candidates.flatMap((one) =>
    one.state === 'passed' && one.point ? [{ ...one, point: one.point }] : [],
  );
  const front = paretoFront(passed, frame.asked.front_max);
  for (const one of passed) {
    if (front.includes(one)) continue;
    const reason = 'another candidate is as good, at less cost or time';
    await settleAs({ ...one, state: 'dominated', reason }, one, frame);
  }
  return front;
}

async function handBest(best: Candidate, frame: StepFrame): Promise<Step> {
  const { context, asked } = frame;
  try {
    const handed = await handOver(context, best, asked.label);
    if ('waits' in handed) return waits(`${best.id} has passed, and waits: ${handed.waits}`);
    const reason = `${best.reason}; plan ${handed.plan}`;
    await settleAs({ ...best, ...handed, state: 'planned', reason }, best, frame);
    return waits(`${best.id} is plan ${handed.plan}`);
  } catch (thrown) {
    // Such as a label that only its file moves: told, and tried again.
    return waits(`${best.id} has passed, and waits: ${messageOf(thrown)}`);
  }
}

async function reflect(
  agent: string,
  found: FoundPrompt,
  now: InForce,
  frame: StepFrame,
): Promise<Step> {
  const { context, models, asked } = frame;
  const { kept_max } = context.loaded().policy.capture.bodies ?? { kept_max: 1 };
  const { db } = context.store;
  const all = await readSamples(db, { agent, half: 'reflect', limit: kept_max });
  const samples = chosen(all, asked);
  if (samples.length < asked.units_min) {
    return waits(`${samples.length} of ${asked.units_min} units whose calls went wrong`);
  }
  const base = found.digest === null ? null : (now.contents[found.digest] ?? null);
  const answered = await models.ask(
    {
      purpose: 'reflect',
      agent: asked.agent ?? agent,
      target: asked.target,
      turns: reflectionTurns(samples, base, asked, randomUUID()),
      parse: parseReflection,
    },
    asked,
  );
  if (!answered.ok) return { told: answered.reason, stopped: answered.cause };
  const held_out = await readSamples(db, { agent, half: 'held_out', limit: kept_max });
  const judged = await judgeProposal(answered.answer, {
    asked,
    bound: found.bound,
    base,
    parent: found.version === null ? null : `${found.name}@${found.version}`,
    foreign: foreignOf([...all, ...held_out]),
    note: `Proposed by a model that saw ${samples.length} calls.`,
    pause: () => setImmediate(),
  });
  const refused = 'refusal' in judged;
  const { name, version, digest } = found;
  const candidate: Candidate = {
    id: `prop_${randomUUID()}`,
    agent,
    at_ms: context.clock.policy_ms(),
    state: refused ? 'refused' : 'checking',
    reason: refused ? judged.reason : 'not enough data yet: 0 pairs',
    refusal: refused ? judged.refusal : null,
    tenant: samples[0]?.tenant ?? '',
    calls: samples.map(({ call }) => call),
    base: { name, version, digest },
    content: refused ? null : judged.content,
    tokens_added: refused ? 0 : judged.tokens_added,
    pairs: [],
    evidence: { better: 1, worse: 1 },
    point: null,
    prompt: null,
    plan: null,
  };
  await settleAs(candidate, null, frame);
  return refused
    ? waits(`${candidate.id} was refused: ${judged.reason}`)
    : goOn(candidate, now, frame);
}

/** The newest of each unit, all of the tenant that has the most of them: no model sees two. */
function chosen(
  samples: readonly StoredSample[],
  { calls_max }: PromptProposals,
): readonly StoredSample[] {
  const byTenant = new Map<string, Map<string, StoredSample>>();
  for (const sample of samples) {
    const units = byTenant.get(sample.tenant) ?? new Map<string, StoredSample>();
    byTenant.set(sample.tenant, units);
    if (!units.has(sample.unit)) units.set(sample.unit, sample);
  }
  const largest = [...byTenant.values()].toSorted((left, right) => right.size - left.size)[0];
  return [...(largest?.values() ?? [])].slice(0, calls_max);
}

function waits(told: string): Step {
  return { told, stopped: null };
}
