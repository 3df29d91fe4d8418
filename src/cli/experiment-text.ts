import type { AbArmReport, AbComparison, AbSplit, AbValue } from '../core/ab/report.ts';
import { changeText, numberText } from '../core/ab/words.ts';
import type { AbDetail, AbSummary } from '../oracle/ab-answers.ts';
import { percentText, plain, tableText } from './text.ts';

export function experimentsText(experiments: readonly AbSummary[]): string {
  const rows = experiments.map(({ name, agent, state, arms, sentence }) => [
    name,
    agent,
    state,
    arms.map(({ units }) => String(units)).join('/'),
    sentence,
  ]);
  const head = ['experiment', 'agent', 'state', 'units', 'what it has come to'];
  return tableText(head, rows, 'There is no experiment: `experiments:` of gateway.yaml has none.');
}

export function experimentText(detail: AbDetail): string {
  const { run, agent, state, started_at, stopped_at, serves, serves_why, report } = detail;
  const since = started_at === null ? '' : ` since ${started_at}`;
  const until = stopped_at === null ? '' : `, stopped ${stopped_at}`;
  const why = serves_why === null ? '' : ` (${serves_why})`;
  const lines = [
    `${run} for agent ${agent} is ${state}${since}${until}; its calls get ${serves}${why}.`,
    `${detail.sentence}.`,
    ...(detail.plan === null ? [] : [`Plan of the winner: hive approve ${detail.plan}`]),
    ...(detail.no_plan === null ? [] : [`No plan was made of the winner: ${detail.no_plan}`]),
  ];
  if (!report) return lines.map(plain).join('\n');
  return [
    ...lines.map(plain),
    '',
    armsTable(report.arms),
    '',
    comparisonsTable(report.comparisons),
    '',
    `Units in the arms: ${splitText(report.split)}`,
    ...(report.raters ? [`Raters in the arms: ${splitText(report.raters)}`] : []),
  ].join('\n');
}

function armsTable(arms: readonly AbArmReport[]): string {
  const rows = arms.flatMap(({ arm, share, units, dropped, metrics }) =>
    metrics.map((one, index) => [
      index > 0 ? '' : dropped === null ? arm : `${arm} (dropped)`,
      index > 0 ? '' : percentText(share),
      index > 0 ? '' : String(units),
      one.metric,
      String(one.n),
      valueText(one, one.value),
      one.low === null ? '-' : `${valueText(one, one.low)} to ${valueText(one, one.high)}`,
    ]),
  );
  return tableText(['arm', 'share', 'units', 'metric', 'of', 'value', 'interval'], rows, '');
}

function comparisonsTable(comparisons: readonly AbComparison[]): string {
  const rows = comparisons.map((one) => [
    one.arm,
    one.of,
    one.role,
    one.change === null ? '-' : changeText(one.change),
    `${changeText(one.low)} to ${changeText(one.high)}`,
    `${percentText(1 - one.alpha)}`,
    one.p < 1e-4 ? one.p.toExponential(1) : numberText(one.p),
    standing(one),
  ]);
  const head = ['against control', 'change of', 'role', 'change', 'interval', 'at', 'p', ''];
  return tableText(head, rows, '');
}

function standing({ proven, bound, broken }: AbComparison): string {
  if (bound !== undefined) {
    const allowed = `${percentText(bound)} allowed`;
    return broken ? `broken (${allowed})` : `holds (${allowed})`;
  }
  return proven ?? 'not told apart';
}

const SHARES = ['success', 'dissatisfied', 'abort'];

function valueText({ metric }: AbValue, value: number | null): string {
  if (value === null) return '-';
  if (SHARES.includes(metric)) return percentText(value);
  const unit = metric === 'latency' || metric === 'ttft' ? ' ms' : metric === 'cost' ? ' USD' : '';
  return `${numberText(value)}${unit}`;
}

function splitText({ state, p }: AbSplit): string {
  const shown = p < 1e-4 ? p.toExponential(1) : numberText(p);
  const words = {
    ok: 'as the shares say',
    doubtful: 'hardly as the shares say: nothing good is concluded',
    failed: 'not as the shares say: the result is void',
  };
  return `${words[state]} (p ${shown}).`;
}
