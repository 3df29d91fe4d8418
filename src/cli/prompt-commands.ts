import type { Json } from '../core/canonical.ts';
import { GatewayError, messageOf } from '../core/errors.ts';
import { importResult } from '../core/prompt/import.ts';
import type { PromptDetail, PromptMoved, PromptSummary } from '../oracle/prompt-answers.ts';
import { answered } from './admin-client.ts';
import {
  type Asked,
  type CliContext,
  type Command,
  flagNumber,
  flagText,
  usageError,
  wordAt,
} from './command.ts';
import { movedText, promptsText, promptText } from './prompt-text.ts';
import { plain } from './text.ts';

const API = '/api/v1/prompts';
const DAYS = 7;

/** What follows `hive prompts`, and how many words follow that. */
interface Verb {
  readonly usage: string;
  readonly words: number;
  run(asked: Asked, context: CliContext): Promise<number>;
}

const VERBS: Readonly<Record<string, Verb>> = {
  list: {
    usage: 'list',
    words: 0,
    async run(asked, context) {
      const answer = await asked.client.get(API);
      const text = (): string => promptsText(answered<PromptSummary[]>(answer, 'prompts'));
      context.print(asked.json ? JSON.stringify(answer) : text());
      return 0;
    },
  },
  show: {
    usage: 'show NAME [--days N]',
    words: 1,
    async run(asked, context) {
      const days = flagNumber(asked, 'days') ?? DAYS;
      const answer = await asked.client.get(`${pathOf(asked)}?days=${days}`);
      const text = (): string => promptText(answered<PromptDetail>(answer, 'prompt'), days);
      context.print(asked.json ? JSON.stringify(answer) : text());
      return 0;
    },
  },
  diff: {
    usage: 'diff NAME FROM TO',
    words: 3,
    async run(asked, context) {
      const query = new URLSearchParams({ from: wordAt(asked, 2), to: wordAt(asked, 3) });
      const answer = await asked.client.get(`${pathOf(asked)}/diff?${query.toString()}`);
      const lines = answered<string[]>(answer, 'diff');
      context.print(asked.json ? JSON.stringify(answer) : lines.map(plain).join('\n'));
      return 0;
    },
  },
  label: {
    usage: 'label NAME LABEL VERSION [--expected VERSION] [--by WHO] [--note WHY]',
    words: 3,
    run: (asked, context) =>
      move(asked, context, 'labels', {
        label: wordAt(asked, 2),
        version: Number(wordAt(asked, 3)),
        ...expectedOf(asked),
      }),
  },
  rollback: {
    usage: 'rollback NAME [--label LABEL] [--expected VERSION] [--by WHO] [--note WHY]',
    words: 1,
    run: (asked, context) =>
      move(asked, context, 'rollback', {
        ...(asked.flags.label === undefined ? {} : { label: flagText(asked, 'label') }),
        ...expectedOf(asked),
      }),
  },
  import: {
    usage: 'import NAME FILE [--component C] [--anchor TEXT] [--outputs A,B] [--label LABEL]',
    words: 2,
    async run(asked, context) {
      const content = importResult(await readJson(asked, context), {
        component: flagText(asked, 'component'),
        anchor: flagText(asked, 'anchor'),
        outputs: flagText(asked, 'outputs')?.split(','),
      });
      const label = flagText(asked, 'label') ?? null;
      return move(asked, context, 'versions', { content, label });
    },
  },
};

function expectedOf(asked: Asked): { readonly expected?: number | null } {
  if (flagText(asked, 'expected') === 'none') return { expected: null };
  const expected = flagNumber(asked, 'expected');
  return expected === undefined ? {} : { expected };
}

async function move(
  asked: Asked,
  context: CliContext,
  what: 'labels' | 'rollback' | 'versions',
  body: object,
): Promise<number> {
  const said = { by: flagText(asked, 'by') ?? null, note: flagText(asked, 'note') ?? null };
  const answer = await asked.client.post(`${pathOf(asked)}/${what}`, { ...body, ...said });
  const text = (): string => movedText(answered<PromptMoved>(answer, 'moved'));
  context.print(asked.json ? JSON.stringify(answer) : text());
  return 0;
}

function pathOf(asked: Asked): string {
  return `${API}/${encodeURIComponent(wordAt(asked, 1))}`;
}

async function readJson(asked: Asked, context: CliContext): Promise<Json> {
  const file = wordAt(asked, 2);
  const text = await context.readInput(file);
  try {
    return JSON.parse(text) as Json;
  } catch (thrown) {
    throw new GatewayError('bad_request', `${file} is no JSON: ${messageOf(thrown)}`);
  }
}

const prompts: Command = {
  name: 'prompts',
  usage: Object.values(VERBS)
    .map(({ usage }) => usage)
    .join('\n'),
  listed_by: 'prompts list',
  summary: 'shows prompts and what they came to, moves labels, imports DSPy and GEPA results',
  example: 'hive prompts label support.tone production 2 --by ann',
  options: {
    days: { type: 'string' },
    label: { type: 'string' },
    expected: { type: 'string' },
    by: { type: 'string' },
    note: { type: 'string' },
    component: { type: 'string' },
    anchor: { type: 'string' },
    outputs: { type: 'string' },
  },
  words: [0, 4],
  async run(asked, context) {
    const name = asked.words[0] ?? 'list';
    const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
    if (!verb || Math.max(asked.words.length - 1, 0) !== verb.words) {
      const usages = verb ? [verb] : Object.values(VERBS);
      const lines = usages.map(({ usage }) => `hive prompts ${usage}`);
      throw usageError(`usage: ${lines.join('\n       ')}`);
    }
    return verb.run(asked, context);
  },
};

export const promptCommands: readonly Command[] = [prompts];
