import type { Json, JsonObject } from '../core/canonical.ts';
import { isObject } from '../core/json-values.ts';
import { fileFlag, type LabCommand, type LabIo, numberFlag } from './lab-command.ts';
import type { GradedRow } from './route-stream.ts';
import { type BadRow, eachRow } from './rows.ts';

export const route: LabCommand = {
  name: 'route',
  usage: '--log FILE --policy FILE [--seed 0]',
  summary: 'what a router that learns would choose, one graded prompt after another',
  example: 'hive lab route --log docs/lab/graded.jsonl --policy docs/lab/route.yaml',
  options: { log: { type: 'string' }, policy: { type: 'string' }, seed: { type: 'string' } },
  details: [
    '--log     {"id", "prompt", "models": {name: {"quality": 0..1, "cost": USD}}} a row, in order.',
    '          The choice for a row sees its prompt and the names; then only the chosen model’s',
    '          quality and cost are revealed, and no row is looked at twice or ahead.',
    '--policy  route: { models: [names], objective: { quality: 1, cost_weight: 0 }, strategy }',
    '          utility = quality × quality - cost_weight × cost; models: default those of row 1.',
    '          strategy: auto (default), thompson, top-two, kinds, lints, linucb, squarecb,',
    '          epsilon-greedy, uniform, fixed; or { use: auto, explore, floor, discount, context:',
    '          auto|pooled|kinds|linear, rule: blend|thompson|top-two|ucb|squarecb }.',
    '--seed    of the draws: equal seeds give equal answers.',
    'Prints    {"id", "model", "propensity"} a row: the probability with which it was chosen.',
    '',
    'auto weighs three learners (one belief for all prompts; kinds of prompts found by their',
    'words, which borrow from each other; a linear model of the features) by an off-policy',
    'estimate of what each is worth over the first. Keeps no row: less than 200 MB at any length.',
  ],
  async run(flags, io) {
    const log = fileFlag(flags, 'log');
    const policyFile = fileFlag(flags, 'policy');
    const seed = numberFlag(flags, 'seed', 0, [0, Number.MAX_SAFE_INTEGER]);
    const { parseRoutePolicy } = await import('./route-policy.ts');
    const { createRouteStream } = await import('./route-stream.ts');
    const stream = createRouteStream(parseRoutePolicy(await textOf(io, policyFile)), seed);
    await eachRow(io, log, gradedRowOf, (row) => {
      const chosen = stream.next(row);
      if (typeof chosen === 'string') return chosen;
      io.print(JSON.stringify(chosen));
      return undefined;
    });
    return 0;
  },
};

const POLICY_CHARS_MAX = 1024 * 1024;

async function textOf(io: LabIo, file: string): Promise<string> {
  let text = '';
  for await (const chunk of io.open(file)) {
    text += chunk;
    if (text.length > POLICY_CHARS_MAX) break;
  }
  return text;
}

function gradedRowOf(value: JsonObject): GradedRow | BadRow {
  const id = typeof value.id === 'number' ? String(value.id) : value.id;
  if (typeof id !== 'string') return { bad: 'id is no text' };
  const prompt = promptIn(value.prompt);
  if (prompt === null) return { bad: 'prompt is no text' };
  const { models } = value;
  if (!isObject(models)) return { bad: 'models is no object' };
  const graded = new Map<string, { quality: number; cost: number }>();
  for (const [name, one] of Object.entries(models)) {
    if (!isObject(one)) return { bad: `models.${name} is no object` };
    const quality = typeof one.quality === 'boolean' ? Number(one.quality) : one.quality;
    // A model without a grade was not asked: it is none of this row's.
    if (quality === null || quality === undefined) continue;
    const cost = one.cost ?? 0;
    if (typeof quality !== 'number' || !(quality >= 0 && quality <= 1)) {
      return { bad: `models.${name}.quality is no number from 0 to 1` };
    }
    if (typeof cost !== 'number' || !(cost >= 0)) {
      return { bad: `models.${name}.cost is no number from 0` };
    }
    graded.set(name, { quality, cost });
  }
  return { id, prompt, models: graded };
}

/** A text, or messages of which the texts count. */
function promptIn(value: Json | undefined): string | null {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return null;
  const texts = (value as readonly Json[]).map((one) =>
    isObject(one) && typeof one.content === 'string' ? one.content : one,
  );
  return texts.every((text) => typeof text === 'string') ? texts.join('\n') : null;
}
