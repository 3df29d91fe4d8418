import { GatewayError } from '../core/errors.ts';
import { type Policy, type PromptEntry, promptVersionOf } from '../core/policy.ts';
import { priceFrom } from '../core/price.ts';
import { diffLines, linesOf } from '../core/prompt/diff.ts';
import { isPromptRow, promptsOf } from '../core/prompt/rows.ts';
import { tokensAdded } from '../core/prompt/version.ts';
import { promptImpact } from '../store/prompt-impact.ts';
import type { OracleContext } from './context.ts';
import type {
  ImportPrompt,
  MoveLabel,
  PromptDetail,
  PromptMoved,
  PromptSummary,
  RollbackLabel,
} from './prompt-answers.ts';
import { importPrompt, moveLabel, rollbackLabel } from './prompts.ts';
import { type InForce, inForceOf } from './records.ts';

const DAY_MS = 86_400_000;

/** Prompts: what there is, what it came to, and how people move it. */
export interface Prompts {
  list(): Promise<readonly PromptSummary[]>;
  /** With the impact of each version over the last `days` of policy time. */
  show(name: string, days: number): Promise<PromptDetail>;
  /** The lines of two versions; each is named by its number or a label. */
  diff(name: string, from: string, to: string): Promise<readonly string[]>;
  label(input: MoveLabel): Promise<PromptMoved>;
  rollback(input: RollbackLabel): Promise<PromptMoved>;
  importVersion(input: ImportPrompt): Promise<PromptMoved>;
}

export function promptsOver(context: OracleContext): Prompts {
  return {
    async list() {
      const now = inForceOf(context.loaded(), (await context.ledger.view()).rows);
      return Object.keys(now.policy.prompts)
        .sort()
        .map((name) => summaryOf(now, name));
    },
    show: (name, days) => showPrompt(context, name, days),
    async diff(name, from, to) {
      const now = inForceOf(context.loaded(), (await context.ledger.view()).rows);
      const entry = entryOf(now, name);
      const sides = [from, to].map((side) => linesOf(contentAt(now, entry, name, side)));
      return diffLines(sides[0] ?? [], sides[1] ?? []);
    },
    label: (input) => moveLabel(context, input),
    rollback: (input) => rollbackLabel(context, input),
    importVersion: (input) => importPrompt(context, input),
  };
}

async function showPrompt(
  context: OracleContext,
  name: string,
  days: number,
): Promise<PromptDetail> {
  const { rows } = await context.ledger.view();
  const now = inForceOf(context.loaded(), rows);
  const entry = entryOf(now, name);
  const own = rows.filter((row) => isPromptRow(row) && promptsOf(row).includes(name));
  const contents = Object.entries(entry.versions).flatMap(([version, digest]) => {
    const content = now.contents[digest];
    const inFile = now.base.prompts[name]?.versions[version] === digest;
    const row = own.find((one) => Object.hasOwn(one.content, digest));
    const source = inFile ? 'file' : (row?.id ?? 'unknown');
    const tokens_added = content ? tokensAdded(content) : 0;
    return content ? [{ version: Number(version), digest, source, tokens_added, content }] : [];
  });
  const history = own.toReversed().map((row) => ({
    at_ms: row.executed_ms,
    what: row.touches.map((pointer) => pointer.slice(`/prompts/${name}/`.length)),
    state: row.state,
    rollback_key: row.rollback_key,
    reason: row.reason,
  }));
  const since_ms = context.clock.policy_ms() - days * DAY_MS;
  const impact = await promptImpact(context.store.db, name, {
    since_ms,
    prices: cachePrices(now.policy),
  });
  return { ...summaryOf(now, name), contents, history, impact };
}

/** As the policy states them now: what was served before at other prices is told by these. */
function cachePrices({ targets }: Policy): Readonly<Record<string, number>> {
  const priced = Object.entries(targets).flatMap(([name, { price }]) => {
    if (price === undefined) return [];
    const { input, cached } = priceFrom(price);
    return [[name, (input - cached) / 1e12] as const];
  });
  return Object.fromEntries(priced);
}

function summaryOf({ policy }: InForce, name: string): PromptSummary {
  const entry = policy.prompts[name] as PromptEntry;
  const agents: Record<string, number> = {};
  for (const [agent, { prompt }] of Object.entries(policy.agents)) {
    const found = prompt === undefined ? null : promptVersionOf(policy.prompts, prompt);
    if (found?.name === name) agents[agent] = found.version;
  }
  const versions = Object.keys(entry.versions).map(Number);
  return { name, versions, labels: entry.labels, protected: entry.protected ?? [], agents };
}

function entryOf({ policy }: InForce, name: string): PromptEntry {
  const entry = Object.hasOwn(policy.prompts, name) ? policy.prompts[name] : undefined;
  if (entry) return entry;
  throw new GatewayError('not_found', `There is no prompt ${name}.`, { param: 'name' });
}

function contentAt({ contents }: InForce, entry: PromptEntry, name: string, side: string) {
  const label = Object.hasOwn(entry.labels, side) ? entry.labels[side] : undefined;
  const version = /^\d+$/.test(side) ? side : String(label ?? '');
  const digest = Object.hasOwn(entry.versions, version) ? entry.versions[version] : undefined;
  const content = digest === undefined ? undefined : contents[digest];
  if (content) return content;
  const message = `Prompt ${name} has no version and no label ${side}.`;
  throw new GatewayError('not_found', message, { param: 'version' });
}
