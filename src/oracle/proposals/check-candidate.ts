import { hash } from 'node:crypto';
import type { JsonObject } from '../../core/canonical.ts';
import type { AgentEntry, Contents } from '../../core/policy.ts';
import { applyPatch } from '../../core/prompt/apply.ts';
import { compilePatch } from '../../core/prompt/compile.ts';
import type { PromptProposals } from '../../core/prompt/proposal-policy.ts';
import { sampleMessages } from '../../core/prompt/sample.ts';
import { readVariables } from '../../core/prompt/variables.ts';
import { isRefused, type PromptVersion } from '../../core/prompt/version.ts';
import { signEvidence } from '../../core/statistics/sign-evidence.ts';
import type { StoredSample } from '../../store/prompt-samples.ts';
import type { ChatTurn, NoAnswer } from '../models/models.ts';
import type { Candidate, Pair, Took } from './candidate.ts';
import { comparePair } from './judge.ts';
import type { ProposalModels } from './proposal-models.ts';

/** e-value of a verdict: α 5 %. What follows is a canary, which asks the users themselves. */
const VERDICT_LIMIT = 20;

export interface CheckFrame {
  readonly asked: PromptProposals;
  readonly entry: AgentEntry;
  readonly contents: Contents;
  readonly held_out: readonly StoredSample[];
  readonly models: ProposalModels;
  /** Drawn anew for each pair. */
  mark(): string;
  /** Written down after each pair: what was paid for is not lost. */
  keep(candidate: Candidate): Promise<void>;
}

export interface Checked {
  readonly candidate: Candidate;
  /** Why it went no further, where it could have. */
  readonly stopped: { readonly cause: NoAnswer; readonly reason: string } | null;
}

/**
 * Compares a candidate with the prompt in force on held-out calls, each of another unit and each
 * once, until there is a verdict, no call is left, or no model may be asked.
 */
export async function checkCandidate(given: Candidate, frame: CheckFrame): Promise<Checked> {
  let candidate = given;
  for (const sample of unusedSamples(candidate, frame.held_out)) {
    candidate = withVerdict(candidate, frame.asked);
    if (candidate.state !== 'checking') break;
    const pair = await runPair(sample, candidate, frame);
    if (pair === null) continue;
    if ('ok' in pair) return { candidate, stopped: pair };
    candidate = { ...candidate, pairs: [...candidate.pairs, pair] };
    await frame.keep(withVerdict(candidate, frame.asked));
  }
  return { candidate: withVerdict(candidate, frame.asked), stopped: null };
}

/** In an order of the candidate's own, so that each is measured on another part first. */
function unusedSamples(
  { id, pairs, calls }: Candidate,
  held_out: readonly StoredSample[],
): readonly StoredSample[] {
  const used = new Set([...pairs.map(({ call }) => call), ...calls]);
  const units = new Set(held_out.filter(({ call }) => used.has(call)).map(({ unit }) => unit));
  const order = (sample: StoredSample): string => hash('sha256', `${id}\0${sample.call}`, 'hex');
  return held_out
    .toSorted((left, right) => order(left).localeCompare(order(right)))
    .filter(({ unit, call }) => {
      if (units.has(unit) || used.has(call)) return false;
      units.add(unit);
      return true;
    });
}

/** The candidate with what its pairs say by now. */
export function withVerdict(candidate: Candidate, asked: PromptProposals): Candidate {
  const { pairs } = candidate;
  const n = pairs.length;
  const wins = pairs.filter(({ outcome }) => outcome === 'win').length;
  const losses = pairs.filter(({ outcome }) => outcome === 'loss').length;
  const evidence = { better: signEvidence(wins, losses), worse: signEvidence(losses, wins) };
  const point = n === 0 ? null : pointOf(pairs, wins, losses);
  const told = `${wins} pairs won, ${losses} lost, ${n - wins - losses} alike`;
  const now = { ...candidate, evidence, point };
  if (evidence.worse >= VERDICT_LIMIT) {
    return { ...now, state: 'worse', reason: `${told}: it is worse` };
  }
  if (n >= asked.pairs_min && evidence.better >= VERDICT_LIMIT) {
    return { ...now, state: 'passed', reason: `${told}: it is better` };
  }
  // Even if it won all that are left, there would be no verdict.
  const best = signEvidence(wins + Math.max(0, asked.pairs_max - n), losses);
  if (n >= asked.pairs_max || best < VERDICT_LIMIT) {
    return { ...now, state: 'no_difference', reason: `${told}: no difference shows` };
  }
  const wanted = n < asked.pairs_min ? ` of at least ${asked.pairs_min}` : '';
  const reason = `not enough data yet: ${n} pairs${wanted} (${told})`;
  return { ...now, state: 'checking', reason };
}

function pointOf(pairs: readonly Pair[], wins: number, losses: number) {
  const sum = (of: (pair: Pair) => number): number =>
    pairs.reduce((total, pair) => total + of(pair), 0);
  const ratio = (of: (took: Took) => number): number =>
    sum(({ candidate }) => of(candidate)) /
    Math.max(
      1e-9,
      sum(({ base }) => of(base)),
    );
  return {
    quality: (wins + (pairs.length - wins - losses) / 2) / pairs.length,
    tokens: ratio(({ tokens }) => Math.max(1, tokens)),
    latency: ratio(({ ms }) => Math.max(0.001, ms)),
  };
}

type PairOutcome = Pair | null | Extract<Awaited<ReturnType<ProposalModels['ask']>>, { ok: false }>;

/** Null where a patch cannot be applied to the call, as it would be left out in a live call. */
async function runPair(
  sample: StoredSample,
  candidate: Candidate,
  frame: CheckFrame,
): Promise<PairOutcome> {
  const { asked, models, entry, contents } = frame;
  const { digest } = candidate.base;
  const base = digest === null ? null : (contents[digest] ?? null);
  const turns = [patched(sample, base), patched(sample, candidate.content)] as const;
  if (turns[0] === null || turns[1] === null) return null;
  // Both of one target, or their difference would be the targets'.
  const target = targetFor(sample, entry);
  const ask = (own: readonly ChatTurn[]) =>
    models.ask(
      { purpose: 'answer', agent: candidate.agent, target, turns: own, parse: (text) => text },
      asked,
    );
  // By turns first, so that a cache that the first one fills favours neither.
  const baseFirst = candidate.pairs.length % 2 === 0;
  const first = await ask(baseFirst ? turns[0] : turns[1]);
  if (!first.ok) return first;
  const second = await ask(baseFirst ? turns[1] : turns[0]);
  if (!second.ok) return second;
  const [own, proposed] = baseFirst ? [first, second] : [second, first];
  const verdict = await comparePair(
    {
      agent: candidate.agent,
      question: sample.turns.map(({ role, text }) => `${role}: ${text}`).join('\n\n'),
      base: own.answer,
      candidate: proposed.answer,
    },
    asked,
    models,
    frame.mark(),
  );
  if ('ok' in verdict) return verdict;
  const took = ({ tokens, ms }: Took): Took => ({ tokens, ms });
  return { call: sample.call, ...verdict, base: took(own), candidate: took(proposed) };
}

function targetFor({ served }: StoredSample, { targets }: AgentEntry): string | undefined {
  if ((targets[served] ?? 0) > 0) return served;
  return Object.entries(targets).toSorted(([, left], [, right]) => right - left)[0]?.[0];
}

/** The sample's messages as the gateway would send them with this version. */
function patched(sample: StoredSample, version: PromptVersion | null): readonly ChatTurn[] | null {
  const body = sampleMessages(sample.turns);
  if (version === null) return body.messages as unknown as readonly ChatTurn[];
  const { agent, at_ms } = sample;
  const source = { header: () => null, agent, model: agent, at_ms };
  const values = readVariables(version.vars ?? {}, source);
  if (values === null) return null;
  const fields = applyPatch('chat.completions', body, compilePatch(version, values));
  if (isRefused(fields)) return null;
  return ({ ...body, ...fields } as JsonObject).messages as unknown as readonly ChatTurn[];
}
