import type { RouterReport } from '../oracle/route-learning.ts';
import { answered } from './admin-client.ts';
import { type Command, usageError, wordAt } from './command.ts';
import { percentText, tableText } from './text.ts';

const router: Command = {
  name: 'router',
  usage: 'show [AGENT]',
  summary: 'shows what the routers that learn believe of each target, and how surely',
  example: 'hive router show',
  options: {},
  words: [1, 2],
  async run(asked, context) {
    if (wordAt(asked, 0) !== 'show') throw usageError('hive router knows one word: show');
    const agent = asked.words[1];
    const answer = await asked.client.get('/api/v1/router');
    const all = answered<readonly RouterReport[]>(answer, 'routers');
    const routers = agent === undefined ? all : all.filter((one) => one.agent === agent);
    if (asked.json) context.print(JSON.stringify({ routers }));
    else context.print(routers.map(routerText).join('\n\n') || NOBODY);
    return 0;
  },
};

const NOBODY = 'No agent’s router learns: model-router has `strategy: bandit` for none.';

function routerText({ agent, reward, rewards, categories }: RouterReport): string {
  const rows = categories.flatMap(({ category, targets }) =>
    targets.map(({ target, mean, low, high, n, share }) => [
      category === '' ? '(all)' : category,
      target,
      mean.toFixed(3),
      `${low.toFixed(3)} to ${high.toFixed(3)}`,
      n.toFixed(0),
      percentText(share),
    ]),
  );
  const head = ['category', 'target', 'reward', '95 % of the doubt', 'counted', 'share'];
  const title = `${agent}: reward is ${reward}; learned of ${rewards} calls.`;
  return `${title}\n${tableText(head, rows, 'It has no targets.')}`;
}

export const routerCommands: readonly Command[] = [router];
