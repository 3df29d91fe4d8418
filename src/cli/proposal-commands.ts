import type {
  CandidateDetail,
  CandidateSummary,
  ProposalsStatus,
} from '../oracle/proposals/proposals.ts';
import { answered } from './admin-client.ts';
import {
  type Asked,
  type CliContext,
  type Command,
  flagText,
  usageError,
  usageLines,
  wordAt,
} from './command.ts';
import { plain, tableText } from './text.ts';

const API = '/api/v1/oracle/proposals';

const proposals: Command = {
  name: 'proposals',
  usage: 'list\nshow ID\nforget --user ID | --session ID [--tenant T]',
  listed_by: 'proposals list',
  summary: 'shows the prompts that a model proposed, and deletes what a user said',
  example: 'hive proposals list',
  options: {
    user: { type: 'string' },
    session: { type: 'string' },
    tenant: { type: 'string' },
  },
  words: [0, 2],
  async run(asked, context) {
    const verb = asked.words[0] ?? 'list';
    const words = Math.max(asked.words.length - 1, 0);
    if (verb === 'list' && words === 0) return list(asked, context);
    if (verb === 'show' && words === 1) return show(asked, context);
    if (verb === 'forget' && words === 0) return forget(asked, context);
    throw usageError(`usage: ${usageLines(this).join('\n       ')}`);
  },
};

async function list(asked: Asked, context: CliContext): Promise<number> {
  const answer = await asked.client.get(API);
  if (asked.json) context.print(JSON.stringify(answer));
  else {
    const status = answered<ProposalsStatus>(answer, 'status');
    context.print(statusText(status));
    context.print(listText(answered<readonly CandidateSummary[]>(answer, 'proposals')));
  }
  return 0;
}

async function show(asked: Asked, context: CliContext): Promise<number> {
  const answer = await asked.client.get(`${API}/${encodeURIComponent(wordAt(asked, 1))}`);
  const text = (): string => detailText(answered<CandidateDetail>(answer, 'proposal'));
  context.print(asked.json ? JSON.stringify(answer) : text());
  return 0;
}

async function forget(asked: Asked, context: CliContext): Promise<number> {
  const user = flagText(asked, 'user');
  const session = flagText(asked, 'session');
  if ((user ?? session) === undefined) throw usageError('name --user ID or --session ID');
  const tenant = flagText(asked, 'tenant');
  const answer = await asked.client.post(`${API}/forget`, { tenant, user, session });
  const { deleted } = answered<{ readonly deleted: number }>(answer, 'forgotten');
  context.print(asked.json ? JSON.stringify(answer) : `${deleted} samples deleted.`);
  return 0;
}

function statusText({ state, reason, spent, budget, samples, agents }: ProposalsStatus): string {
  const of = (most: number | undefined): string => (most === undefined ? '' : ` of ${most}`);
  const usd = budget?.usd_per_day === undefined ? '' : `, ${spent.usd.toFixed(4)} USD`;
  const lines = [
    `${state}: ${plain(reason)}`,
    `spent on ${spent.day}: ${spent.calls}${of(budget?.calls_per_day)} calls, ` +
      `${spent.tokens}${of(budget?.tokens_per_day)} tokens${usd}${of(budget?.usd_per_day)}`,
    ...samples.map((one) => {
      const counted = `${one.samples} ${one.label} (${one.half}), ${one.units} units`;
      return `samples of ${one.agent}: ${counted}`;
    }),
    ...Object.entries(agents).map(([agent, told]) => `${agent}: ${plain(told)}`),
  ];
  return `${lines.join('\n')}\n`;
}

function listText(all: readonly CandidateSummary[]): string {
  const rows = all.map(({ id, agent, state, pairs, plan, plan_state, reason }) => [
    id,
    agent,
    state,
    `${pairs.win}/${pairs.loss}/${pairs.tie}`,
    plan === null ? '' : `${plan} (${plan_state ?? 'unknown'})`,
    plain(reason),
  ]);
  const head = ['proposal', 'agent', 'state', 'won/lost/alike', 'plan', 'why'];
  return tableText(head, rows, 'No model has proposed anything yet.');
}

function detailText(one: CandidateDetail): string {
  const { point, evidence, base, pairs } = one;
  const from = base.version === null ? `no prompt` : `${base.name}@${base.version}`;
  return [
    `${one.id}: ${one.state} (${plain(one.reason)})`,
    `for ${one.agent}, made from ${from} after ${one.calls.length} calls`,
    `pairs: ${pairs.win} won, ${pairs.loss} lost, ${pairs.tie} alike; ` +
      `e-value better ${evidence.better.toFixed(2)}, worse ${evidence.worse.toFixed(2)}`,
    ...(point
      ? [
          `quality ${point.quality.toFixed(2)}, tokens × ${point.tokens.toFixed(2)}, ` +
            `latency × ${point.latency.toFixed(2)}`,
        ]
      : []),
    ...(one.plan === null ? [] : [`${one.prompt}, ${one.plan} (${one.plan_state ?? 'unknown'})`]),
    ...one.lines.map(plain),
  ].join('\n');
}

export const proposalCommands: readonly Command[] = [proposals];
