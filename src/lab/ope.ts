import type { Json, JsonObject } from '../core/canonical.ts';
import { isObject } from '../core/json-values.ts';
import { evaluateTarget } from '../core/ope/evaluate.ts';
import { createDecisionLog, type LoggedDecision } from '../core/ope/log.ts';
import { fileFlag, type LabCommand } from './lab-command.ts';
import { type BadRow, eachRow } from './rows.ts';

export const ope: LabCommand = {
  name: 'ope',
  usage: '--log FILE --target FILE',
  summary: 'what another policy would have earned, from a log of decisions and their probabilities',
  example: 'hive lab ope --log docs/lab/decisions.jsonl --target docs/lab/target.jsonl',
  options: { log: { type: 'string' }, target: { type: 'string' } },
  details: [
    '--log     {"id", "context"?, "actions"?, "action", "propensity", "reward", "unit"?} a row:',
    '          propensity is the probability with which the log chose the action; context is any',
    '          JSON; rows with one unit are not taken for independent.',
    '--target  {"id", "probs": {action: probability}} a row, joined by id in any order.',
    'Prints    {"estimate", "ci": [low, high], "ess", "verdict": "ok"|"refused", "reason",',
    '          "n", "others": {"ips", "snips", "dm"}}; a refusal has no estimate, exit code 0.',
    '',
    'Doubly robust and cross-fitted, 95 % interval. Refuses below an effective sample size of 200,',
    'propensities that are none (above 1 % of rows), a log that never chose otherwise, a',
    'target with more than 5 % on actions that the log never chose. Keeps about 150 bytes',
    'a row of the log (of ids a hash) and nothing of the target: a million rows',
    'of 20 features need 280 MB in all.',
  ],
  async run(flags, io) {
    const logFile = fileFlag(flags, 'log');
    const targetFile = fileFlag(flags, 'target');
    const log = createDecisionLog();
    await eachRow(io, logFile, decisionOf, (row) => log.add(row));
    const evaluating = evaluateTarget(log);
    await eachRow(io, targetFile, targetOf, ({ id, probs }) => evaluating.add(id, probs));
    io.print(JSON.stringify(evaluating.result()));
    return 0;
  },
};

/** A name of an action or an id: a text, or a number as it is written. */
function nameIn(value: Json | undefined): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

function decisionOf(value: JsonObject): LoggedDecision | BadRow {
  const id = nameIn(value.id);
  if (id === null) return { bad: 'id is no text' };
  const action = nameIn(value.action);
  if (action === null) return { bad: 'action is no text' };
  const { reward, propensity, context } = value;
  if (typeof reward !== 'number' || !Number.isFinite(reward)) return { bad: 'reward is no number' };
  const actions = actionsIn(value.actions);
  if (actions !== null && !actions.includes(action)) {
    return { bad: `action ${JSON.stringify(action)} is not among the actions` };
  }
  const unit = nameIn(value.unit) ?? undefined;
  const p = typeof propensity === 'number' ? propensity : Number.NaN;
  return { id, action, actions, reward, propensity: p, context, unit };
}

function actionsIn(value: Json | undefined): readonly string[] | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  const names = (value as readonly Json[]).map(nameIn);
  return names.every((name) => name !== null) ? (names as string[]) : null;
}

function targetOf(
  value: JsonObject,
): { readonly id: string; readonly probs: ReadonlyMap<string, number> } | BadRow {
  const id = nameIn(value.id);
  if (id === null) return { bad: 'id is no text' };
  const { probs } = value;
  if (!isObject(probs)) return { bad: 'probs is no object' };
  const shares = new Map<string, number>();
  for (const name of Object.keys(probs)) {
    const share = probs[name];
    if (typeof share !== 'number') return { bad: 'probs holds what is no number' };
    shares.set(name, share);
  }
  return { id, probs: shares };
}
