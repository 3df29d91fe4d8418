import type { AbDetail, AbSummary } from '../oracle/ab-answers.ts';
import { answered } from './admin-client.ts';
import { type Command, flagText, usageError, wordAt } from './command.ts';
import { experimentsText, experimentText } from './experiment-text.ts';

const API = '/api/v1/experiments';
const USAGE = 'list | show NAME | stop NAME [--by WHO] [--note WHY]';

const experiments: Command = {
  name: 'experiments',
  usage: USAGE,
  listed_by: 'experiments list',
  summary: 'shows what A/B experiments have come to, and ends one',
  example: 'hive experiments show tone',
  options: { by: { type: 'string' }, note: { type: 'string' } },
  words: [0, 2],
  async run(asked, context) {
    const verb = asked.words[0] ?? 'list';
    const name = asked.words[1];
    const fits = verb === 'list' ? name === undefined : name !== undefined;
    if (!['list', 'show', 'stop'].includes(verb) || !fits) {
      throw usageError(`usage: hive experiments ${USAGE}`);
    }
    if (verb === 'list') {
      const answer = await asked.client.get(API);
      const text = () => experimentsText(answered<readonly AbSummary[]>(answer, 'experiments'));
      context.print(asked.json ? JSON.stringify(answer) : text());
      return 0;
    }
    const path = `${API}/${encodeURIComponent(wordAt(asked, 1))}`;
    const said = { by: flagText(asked, 'by') ?? null, note: flagText(asked, 'note') ?? null };
    const answer =
      verb === 'stop'
        ? await asked.client.post(`${path}/stop`, said)
        : await asked.client.get(path);
    const text = () => experimentText(answered<AbDetail>(answer, 'experiment'));
    context.print(asked.json ? JSON.stringify(answer) : text());
    return 0;
  },
};

export const experimentCommands: readonly Command[] = [experiments];
