import { GatewayError, messageOf } from '../core/errors.ts';
import type { Analysis, Plan } from '../core/oracle.ts';
import type {
  CanaryStatus,
  Cycle,
  Execution,
  MutationStatus,
  Validation,
} from '../oracle/oracle.ts';
import { answered, type JsonAnswer } from './admin-client.ts';
import {
  type Asked,
  type CliContext,
  type Command,
  flagNumber,
  flagText,
  wordAt,
} from './command.ts';
import { cycleText } from './cycle-text.ts';
import { findingsText } from './findings-text.ts';
import { executionText, mutationText, percentText, planText, tableText, timeText } from './text.ts';

const API = '/api/v1/oracle';
/** How long `hive tick` stays with a cycle that goes on after its first answer. */
const TICK_WAIT_MS = 60_000;
const TICK_POLL_MS = 500;

type Say = (answer: JsonAnswer, text: () => string) => void;

/** Prints the API's own JSON, or what a reader would rather see. */
function sayerOf(asked: Asked, context: CliContext): Say {
  return (answer, text) => context.print(asked.json ? JSON.stringify(answer) : text());
}

const tick: Command = {
  name: 'tick',
  usage: '',
  summary: 'runs one cycle of the oracle now and waits for its end',
  example: 'hive tick',
  options: {},
  words: [0, 0],
  async run(asked, context) {
    let answer = await asked.client.post(`${API}/tick`, {});
    let cycle = answered<Cycle>(answer, 'cycle');
    for (let waited = 0; cycle.state === 'running' && waited < TICK_WAIT_MS; ) {
      await context.pause(TICK_POLL_MS);
      waited += TICK_POLL_MS;
      answer = await asked.client.get(`${API}/cycles/${encodeURIComponent(cycle.id)}`);
      cycle = answered<Cycle>(answer, 'cycle');
    }
    sayerOf(asked, context)(answer, () => cycleText(cycle));
    return cycle.state === 'failed' ? 1 : 0;
  },
};

const analyze: Command = {
  name: 'analyze',
  usage: '[--agent NAME] [--all] [--hours N] [--limit N]',
  summary: 'looks for findings now, without planning anything',
  example: 'hive analyze --hours 24',
  options: {
    agent: { type: 'string' },
    all: { type: 'boolean' },
    hours: { type: 'string' },
    limit: { type: 'string' },
  },
  words: [0, 0],
  async run(asked, context) {
    const answer = await asked.client.post(`${API}/analyze`, {
      time_window_hours: flagNumber(asked, 'hours'),
      event_limit: flagNumber(asked, 'limit'),
    });
    const analysis = answered<Analysis>(answer, 'analysis');
    const shown = { agent: flagText(asked, 'agent'), all: asked.flags.all === true };
    sayerOf(asked, context)(answer, () => findingsText(analysis, shown));
    return 0;
  },
};

const plans: Command = {
  name: 'plans',
  usage: '[--state STATE]',
  summary: 'lists plans, such as those that wait: --state needs_approval',
  example: 'hive plans --state needs_approval',
  options: { state: { type: 'string' } },
  words: [0, 0],
  async run(asked, context) {
    const state = flagText(asked, 'state');
    const query = state === undefined ? '' : `?state=${encodeURIComponent(state)}`;
    const answer = await asked.client.get(`${API}/plans${query}`);
    const rows = answered<readonly Plan[]>(answer, 'plans').map((plan) => [
      plan.id,
      plan.state,
      plan.origin,
      plan.expires_at,
      plan.mutations.map(mutationText).join('; ') || 'no mutations',
    ]);
    const head = ['plan', 'state', 'by', 'until', 'mutations'];
    sayerOf(asked, context)(answer, () => tableText(head, rows, 'No plans.'));
    return 0;
  },
};

const plan: Command = {
  name: 'plan',
  usage: 'FILE|-',
  summary: 'hands in your own plan (JSON), or makes one of an analysis',
  example: 'hive analyze --json | hive plan -',
  options: {},
  words: [1, 1],
  async run(asked, context) {
    const file = wordAt(asked, 0);
    const body = planBody(parseInput(file, await context.readInput(file)));
    const empty = nothingIn(body);
    if (empty !== null) {
      sayerOf(asked, context)({ plan: null }, () => `Nothing to plan: there are no ${empty}.`);
      return 0;
    }
    const answer = await asked.client.post(`${API}/plan`, body);
    sayerOf(asked, context)(answer, () => planText(answered<Plan>(answer, 'plan')));
    return 0;
  },
};

function parseInput(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    const what = file === '-' ? 'the standard input' : file;
    throw new GatewayError('invalid_json', `${what} is not JSON: ${messageOf(thrown)}`, {}, thrown);
  }
}

/** A list is mutations; what `analyze --json` printed is findings; else as the API takes it. */
function planBody(input: unknown): unknown {
  if (Array.isArray(input)) return { mutations: input };
  if (input !== null && typeof input === 'object' && 'analysis' in input) {
    return { findings: input.analysis };
  }
  return input;
}

/** What there is none of, where nothing could come of a plan; such a one is not even made. */
function nothingIn(body: unknown): 'findings' | 'mutations' | null {
  if (!isFields(body)) return null;
  const { findings, mutations } = body;
  const found = isFields(findings) ? findings.findings : findings;
  if (mutations === undefined && isEmpty(found)) return 'findings';
  return findings === undefined && isEmpty(mutations) ? 'mutations' : null;
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function answerCommand(name: 'approve' | 'reject', summary: string): Command {
  return {
    name,
    usage: 'PLAN [--by NAME] [--note TEXT]',
    listed_by: 'plans',
    summary,
    example: `hive ${name} plan_0199… --by ann`,
    options: { by: { type: 'string' }, note: { type: 'string' } },
    words: [1, 1],
    async run(asked, context) {
      const path = `${API}/plans/${encodeURIComponent(wordAt(asked, 0))}/${name}`;
      const by = flagText(asked, 'by') ?? context.env.USER ?? null;
      const note = flagText(asked, 'note') ?? null;
      const answer = await asked.client.post(path, { by: by === '' ? null : by, note });
      sayerOf(asked, context)(answer, () => planText(answered<Plan>(answer, 'plan')));
      return 0;
    },
  };
}

async function planById(asked: Asked): Promise<Plan> {
  const path = `${API}/plans/${encodeURIComponent(wordAt(asked, 0))}`;
  return answered<Plan>(await asked.client.get(path), 'plan');
}

const validate: Command = {
  name: 'validate',
  usage: 'PLAN',
  listed_by: 'plans',
  summary: 'runs the gates on a plan; exit code 1 where it does not pass',
  example: 'hive validate plan_0199…',
  options: {},
  words: [1, 1],
  async run(asked, context) {
    const answer = await asked.client.post(`${API}/validate`, { plan: await planById(asked) });
    const { status, plan_id, verdicts } = answer as unknown as Validation;
    const rows = verdicts.map((one) => [one.mutation, one.gate, one.verdict, one.reason]);
    sayerOf(asked, context)(answer, () =>
      [
        `${plan_id}: ${status}.`,
        tableText(['mutation', 'gate', 'verdict', 'reason'], rows, 'No verdicts.'),
      ].join('\n'),
    );
    return status === 'passed' ? 0 : 1;
  },
};

const execute: Command = {
  name: 'execute',
  usage: 'PLAN [--dry-run]',
  listed_by: 'plans',
  summary: 'runs the gates again and starts the plan’s canaries',
  example: 'hive execute plan_0199… --dry-run',
  options: { 'dry-run': { type: 'boolean' } },
  words: [1, 1],
  async run(asked, context) {
    const body = { plan: await planById(asked), dry_run: asked.flags['dry-run'] === true };
    const answer = await asked.client.post(`${API}/execute`, body);
    sayerOf(asked, context)(answer, () => executionText(answer as unknown as Execution));
    return 0;
  },
};

const canaries: Command = {
  name: 'canaries',
  usage: '',
  summary: 'lists what is on trial: share, state and the last judgement',
  example: 'hive canaries',
  options: {},
  words: [0, 0],
  async run(asked, context) {
    const answer = await asked.client.get(`${API}/canaries`);
    const rows = answered<readonly CanaryStatus[]>(answer, 'canaries').map((canary) => [
      canary.agent,
      canary.state,
      percentText(canary.share),
      timeText(canary.started_ms),
      canary.rollback_key,
      typeof canary.judgement?.reason === 'string' ? canary.judgement.reason : 'not judged yet',
    ]);
    const head = ['agent', 'state', 'share', 'since', 'rollback key', 'last judgement'];
    sayerOf(asked, context)(answer, () => tableText(head, rows, 'No canaries.'));
    return 0;
  },
};

const mutations: Command = {
  name: 'mutations',
  usage: '',
  summary: 'lists what was executed, newest first, with the keys that take it back',
  example: 'hive mutations',
  options: {},
  words: [0, 0],
  async run(asked, context) {
    const answer = await asked.client.get(`${API}/mutations`);
    const rows = answered<readonly MutationStatus[]>(answer, 'mutations').map((mutation) => [
      mutation.type,
      mutation.agent,
      mutation.state,
      mutation.executed_ms === null ? '' : timeText(mutation.executed_ms),
      mutation.rollback_key,
      mutation.reason ?? '',
    ]);
    const head = ['type', 'agent', 'state', 'executed', 'rollback key', 'why'];
    sayerOf(asked, context)(answer, () => tableText(head, rows, 'Nothing was executed yet.'));
    return 0;
  },
};

export const oracleCommands: readonly Command[] = [
  tick,
  analyze,
  {
    ...analyze,
    name: 'findings',
    summary: 'the same as analyze',
    example: 'hive findings --agent helpful_assistant --all',
  },
  plans,
  plan,
  answerCommand('approve', 'lets a plan that waits be executed'),
  answerCommand('reject', 'ends a plan that waits'),
  validate,
  execute,
  canaries,
  mutations,
];
