import type { PolicyWorth } from '../core/routing/policy-worth.ts';
import type { RouterReport } from '../oracle/learn-table.ts';
import { answered } from './admin-client.ts';
import { type Command, usageError } from './command.ts';
import { percentText, tableText } from './text.ts';

const router: Command = {
  name: 'router',
  usage: '[show | export] [AGENT]',
  summary: 'shows what the routers that learn believe of each target, and how surely',
  example: 'hive router show',
  options: {},
  words: [0, 2],
  async run(asked, context) {
    const word = asked.words[0] ?? 'show';
    if (word !== 'show' && word !== 'export') {
      throw usageError('hive router knows two words: show, and export (all of the model, as JSON)');
    }
    const agent = asked.words[1];
    const answer = await asked.client.get('/api/v1/router');
    const all = answered<readonly RouterReport[]>(answer, 'routers');
    const routers = agent === undefined ? all : all.filter((one) => one.agent === agent);
    if (word === 'export') context.print(JSON.stringify({ routers }, null, 2));
    else if (asked.json) context.print(JSON.stringify({ routers }));
    else context.print(routers.map(routerText).join('\n\n') || NOBODY);
    return 0;
  },
};

const NOBODY =
  'No agent’s router learns: model-router has strategy bandit, linucb or squarecb for none.';

function routerText(report: RouterReport): string {
  const { agent, strategy, reward, rewards, categories, left_out } = report;
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
  const older = left_out > 0 ? ` (${left_out} more were older or of users with many)` : '';
  const title = `${agent}, ${strategy}: reward is ${reward}; learned of ${rewards} calls${older}.`;
  const lines = [title, tableText(head, rows, 'It has no targets.'), ...remarks(report)];
  return lines.join('\n');
}

function remarks({ proven, changed, worth, strongest = {} }: RouterReport): readonly string[] {
  return [
    ...(worth ? worthLines(worth) : []),
    ...proven.map(
      ({ category, target, exploited, next }) =>
        `Proven best${inWords(category)}: ${target}${exploited ? WITH_ALL : ''}; ${gapText(next)}.`,
    ),
    ...changed.map(
      ({ category, target }) =>
        `${target} has changed${inWords(category)}: what was before hardly counts.`,
    ),
    ...Object.entries(strongest).flatMap(([target, effects]) =>
      effects.length === 0 ? [] : [`${target}, one deviation more of: ${effectsText(effects)}`],
    ),
  ];
}

function worthLines({ units, over, verdict, target }: PolicyWorth): readonly string[] {
  const said = {
    context: 'Context pays: it earns more than always one target would.',
    single: `Context does not pay: always ${target} would earn more.`,
    none: 'Whether context pays is not proven yet.',
  }[verdict ?? 'none'];
  const lines = over.map(({ target: name, difference, interval, e }) => {
    if (interval === null) return `  than always ${name}: too little to say`;
    const [low, high] = interval.map(signed);
    const evidence = `e-value ${e.toPrecision(3)}`;
    return `  than always ${name}: ${signed(difference)} a call (${low} to ${high}; ${evidence})`;
  });
  return [`${said} Of ${units} units it earned`, ...lines];
}

const signed = (value: number): string => `${value < 0 ? '' : '+'}${value.toFixed(3)}`;

function gapText({ target, interval, e }: RouterReport['proven'][number]['next']): string {
  if (interval === null) return `too few rewards to say how much more than ${target}`;
  const [low, high] = interval.map((end) => end.toFixed(3));
  return `${low} to ${high} more a call than ${target}, the next (e-value ${e.toPrecision(3)})`;
}

const WITH_ALL = ', it has all but the floors';
const inWords = (category: string): string => (category === '' ? '' : ` in ${category}`);

const effectsText = (effects: NonNullable<RouterReport['strongest']>[string]): string =>
  effects
    .map(({ feature, effect, low, high }) => {
      return `${feature} ${signed(effect)} (${low.toFixed(3)} to ${high.toFixed(3)})`;
    })
    .join(', ');

export const routerCommands: readonly Command[] = [router];
