import { promptVersionSchema } from '../config/prompt-schema.ts';
import { NAME_PATTERN } from '../config/schema-parts.ts';
import { schemaProblems } from '../config/schema-problems.ts';
import { canonicalJson, digestOf, type JsonObject } from '../core/canonical.ts';
import { GatewayError } from '../core/errors.ts';
import { fold, valuesBefore, versionOf } from '../core/fold.ts';
import type { MutationRecord } from '../core/ledger.ts';
import type { Mutation } from '../core/oracle.ts';
import { formatPointer, touchedPointers } from '../core/pointer.ts';
import { type Contents, followsLabel, type PromptEntry } from '../core/policy.ts';
import { EVERY_AGENT, isPromptRow } from '../core/prompt/rows.ts';
import type { PromptVersion } from '../core/prompt/version.ts';
import { insertAudit } from '../store/audit-trail.ts';
import type { OracleContext } from './context.ts';
import type { ImportPrompt, MoveLabel, PromptMoved, RollbackLabel } from './prompt-answers.ts';
import { inForceOf, type LedgerView, newRow, nextSeq, planRecord, rowOf } from './records.ts';
import { withdrawChosen } from './take-back.ts';

/** A row and its content cross the journal as one record, far below its longest. */
const CONTENT_BYTES_MAX = 100_000;

/**
 * Moves a label to another version: one compare-and-set, and a row like any other, so that it is
 * journalled, folded by every gateway, superseded by an edit of the file, and taken back.
 */
export async function moveLabel(context: OracleContext, input: MoveLabel): Promise<PromptMoved> {
  const { name, label, version, expected, by, note } = input;
  refuseWhileFrozen(context);
  return writeRow(context, { name, label, by, note }, (view) => {
    const entry = entryNamed(context, view, name);
    const from = entry.labels[label] ?? null;
    refuseUnexpected(label, from, expected);
    if (!Object.hasOwn(entry.versions, String(version))) {
      const known = Object.keys(entry.versions).join(', ');
      const message = `Prompt ${name} has no version ${version}; there are ${known}.`;
      throw new GatewayError('not_found', message, { param: 'version' });
    }
    refuseProtected(entry, name, label);
    if (from === version) return null;
    refuseInExperiment(context, view, name, label);
    return { prompts: { [name]: { labels: { [label]: version } } } };
  });
}

/** Adds a version with the next number; the same content again is the version that it was. */
export async function importPrompt(
  context: OracleContext,
  input: ImportPrompt,
): Promise<PromptMoved> {
  const { name, label = null, by, note } = input;
  if (!NAME_PATTERN.test(name) || name.length > 100) {
    throw new GatewayError('bad_request', `${name} is no name for a prompt.`, { param: 'name' });
  }
  const content = contentOf(input.content);
  const digest = digestOf(content);
  refuseWhileFrozen(context);
  const about = { name, label, by, note, content: { [digest]: content } };
  return writeRow(context, about, (view) => {
    const { policy } = inForceOf(context.loaded(), view.rows);
    const entry = Object.hasOwn(policy.prompts, name) ? policy.prompts[name] : undefined;
    const versions = entry?.versions ?? {};
    const known = Object.keys(versions).find((number) => versions[number] === digest);
    const number = known ?? String(Math.max(0, ...Object.keys(versions).map(Number)) + 1);
    const moves = label !== null && entry?.labels[label] !== Number(number);
    if (label !== null && entry) refuseProtected(entry, name, label);
    if (moves) refuseInExperiment(context, view, name, label);
    if (known !== undefined && !moves) return null;
    const labels = moves ? { [label]: Number(number) } : {};
    const patch = {
      ...(known === undefined ? { versions: { [number]: digest } } : {}),
      // A new prompt needs its map of labels, be it empty.
      ...(moves || entry === undefined ? { labels } : {}),
    };
    return { prompts: { [name]: patch } };
  });
}

/** Puts a label back to where it was before its last move; `expected` is where it is now. */
export async function rollbackLabel(
  context: OracleContext,
  { name, label, expected, by, note }: RollbackLabel,
): Promise<PromptMoved> {
  const pointer = labelPointer(name, label);
  let from: number | null = null;
  const choose = (view: LedgerView): string => {
    const entry = entryNamed(context, view, name);
    from = entry.labels[label] ?? null;
    refuseUnexpected(label, from, expected);
    const row = liveRows(view).findLast(({ touches }) => touches.includes(pointer));
    if (row) return row.rollback_key;
    const message = `Label ${label} of ${name} stands where its file puts it: edit the file.`;
    throw new GatewayError('superseded', message, { param: 'label' });
  };
  const reason = saidBy('label put back', by, note);
  const { effective, version, rolled_back } = await withdrawChosen(context, choose, reason);
  const { policy } = inForceOf(context.loaded(), (await context.ledger.view()).rows);
  const to = policy.prompts[name]?.labels[label] ?? null;
  const keys = { rollback_key: rolled_back[0] ?? null, policy_version: version };
  return { name, label, from, to, version: to, effective, already: false, ...keys };
}

interface About {
  readonly name: string;
  readonly label: string | null;
  readonly by: string | null;
  readonly note: string | null;
  readonly content?: Contents;
}

/** Commits the patch that is made of the ledger as it stands; null changes nothing. */
async function writeRow(
  context: OracleContext,
  about: About,
  make: (view: LedgerView) => JsonObject | null,
): Promise<PromptMoved> {
  const { name, label } = about;
  const done = await context.ledger.exclusive(async (commit) => {
    const view = await context.ledger.view();
    const before = inForceOf(context.loaded(), view.rows);
    const from = labelOf(before.policy.prompts[name], label);
    const patch = make(view);
    if (patch === null) return { epoch: view.epoch, from, row: null };
    const mutation = mutationOf(context, patch, before.policy, about);
    const plan = { ...planRecord(context, 'person', [mutation], null), state: 'executed' as const };
    const at_ms = context.clock.policy_ms();
    const row: MutationRecord = {
      ...newRow(plan, mutation, nextSeq(view.rows)),
      state: 'applied',
      content: about.content ?? {},
      reason: saidBy('set', about.by, about.note),
      executed_ms: at_ms,
      applied_ms: at_ms,
    };
    const contents = { ...before.contents, ...row.content };
    const rows = [...view.rows.filter(({ state }) => state === 'applied'), row].map(rowOf);
    const folded = fold(before.base, rows, contents);
    const refused = folded.superseded.find(({ id }) => id === row.id);
    if (refused) throw new GatewayError('not_validated', refused.reason, { param: 'label' });
    const problems = context.problemsOf(folded.policy);
    if (problems.length > 0) throw new GatewayError('not_validated', problems.join('; '));
    const versions = {
      version_before: before.version,
      version_after: versionOf(folded.policy),
    };
    const { by, note } = about;
    const epoch = await commit({
      plans: [plan],
      mutations: [{ ...row, ...versions }],
      also: (db) => insertAudit(db, { at_ms, action: 'prompt', subject: row.id, by, note }),
    });
    context.log.info('prompt', { name, label, row: row.id });
    return { epoch, from, row };
  });
  const effective = await context.effect.wait(done.epoch);
  const after = inForceOf(context.loaded(), (await context.ledger.view()).rows);
  const entry = after.policy.prompts[name];
  const to = labelOf(entry, label);
  return {
    name,
    label,
    from: done.from,
    to,
    version: about.content ? versionWith(entry, about.content) : to,
    effective,
    already: done.row === null,
    rollback_key: done.row?.rollback_key ?? null,
    policy_version: after.version,
  };
}

function mutationOf(
  context: OracleContext,
  patch: JsonObject,
  policy: Parameters<typeof valuesBefore>[0],
  { note }: About,
): Mutation {
  const touches = touchedPointers(patch);
  return {
    id: context.createId('mut'),
    type: 'PROMPT_PATCH',
    agent: EVERY_AGENT,
    touches,
    before: valuesBefore(policy, touches),
    patch,
    primary: 'dissatisfied',
    confidence: null,
    risk: 'high',
    expected: null,
    finding: null,
    why: note,
  };
}

/** Rows of people's prompts that are in force, in order of seq. */
function liveRows(view: LedgerView): readonly MutationRecord[] {
  const live = view.rows.filter((row) => isPromptRow(row) && row.state === 'applied');
  return live.toSorted((left, right) => left.seq - right.seq);
}

export function labelPointer(name: string, label: string): string {
  return formatPointer(['prompts', name, 'labels', label]);
}

function labelOf(entry: PromptEntry | undefined, label: string | null): number | null {
  return label === null ? null : (entry?.labels[label] ?? null);
}

function versionWith(entry: PromptEntry | undefined, content: Contents): number | null {
  const found = Object.entries(entry?.versions ?? {}).find(([, digest]) => digest in content);
  return found ? Number(found[0]) : null;
}

function entryNamed(context: OracleContext, view: LedgerView, name: string): PromptEntry {
  const { policy } = inForceOf(context.loaded(), view.rows);
  const entry = Object.hasOwn(policy.prompts, name) ? policy.prompts[name] : undefined;
  if (entry) return entry;
  const known = Object.keys(policy.prompts).join(', ') || 'none';
  const message = `There is no prompt ${name}; there are ${known}.`;
  throw new GatewayError('not_found', message, { param: 'name' });
}

function contentOf(given: unknown): PromptVersion {
  const [problem] = schemaProblems(promptVersionSchema, given);
  if (problem) {
    const param = ['content', ...problem.path].join('.');
    throw new GatewayError('bad_request', `${param}: ${problem.message}`, { param });
  }
  const content = promptVersionSchema.parse(given) as PromptVersion;
  if (Buffer.byteLength(canonicalJson(content)) <= CONTENT_BYTES_MAX) return content;
  const message = `The content is larger than ${CONTENT_BYTES_MAX} bytes: put it into a file.`;
  throw new GatewayError('body_too_large', message, { param: 'content' });
}

function refuseUnexpected(label: string, from: number | null, expected?: number | null): void {
  if (expected === undefined || expected === from) return;
  const message = `Label ${label} is at ${from ?? 'nothing'}, not at ${expected ?? 'nothing'}.`;
  throw new GatewayError('superseded', message, { param: 'expected', at: from });
}

function refuseProtected(entry: PromptEntry, name: string, label: string): void {
  if (!entry.protected?.includes(label)) return;
  const message = `Label ${label} of ${name} is protected: only policies/prompts moves it.`;
  throw new GatewayError('forbidden', message, { param: 'label' });
}

/** A prompt that changed under a trial would make its two arms of two experiments. */
function refuseInExperiment(
  context: OracleContext,
  view: LedgerView,
  name: string,
  label: string,
): void {
  const { policy } = inForceOf(context.loaded(), view.rows);
  const live = view.rows.find(
    ({ state, agent }) =>
      (state === 'canary' || state === 'paused') &&
      followsLabel(policy.agents[agent]?.prompt, name, label),
  );
  if (!live) return;
  const message =
    `Agent ${live.agent} follows ${name} and is in an experiment: ` +
    `end it first with hive rollback ${live.rollback_key}.`;
  throw new GatewayError('superseded', message, { param: 'name' });
}

function refuseWhileFrozen(context: OracleContext): void {
  if (!context.frozen()) return;
  const message = 'The gateway is frozen (hive freeze): only a rollback moves a label.';
  throw new GatewayError('switched_off', message);
}

function saidBy(what: string, by: string | null, note: string | null): string {
  return `${what}${by === null ? '' : ` by ${by}`}${note === null ? '' : `: ${note}`}`;
}
