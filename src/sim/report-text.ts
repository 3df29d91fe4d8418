import { type ChangeRow, type FoundRow, gainedOf, type SimReport, type Summary } from './report.ts';
import type { Score } from './score.ts';

/** Lays rows out in columns; the command line lends its own. */
export type Table = (
  head: readonly string[],
  rows: readonly (readonly string[])[],
  none: string,
) => string;

const ROWS_MAX = 30;

/** A report for people: what the loop found, changed, gained and harmed. */
export function reportText(report: SimReport, table: Table): string {
  const { world, seed, days, calls, feedback, ticks, findings, truths, changes } = report;
  const shown = [...findings].sort(byWeight).slice(0, ROWS_MAX);
  const more = findings.length - shown.length;
  return [
    `World ${world}, seed ${seed}: ${days} days, ${calls} calls, ${feedback} ratings, ` +
      `${ticks} looks.`,
    '',
    'What was wrong, and when it was found',
    table(
      ['what', 'since day', 'found on', 'level', 'calls until then'],
      truths.map((one) => [
        one.what,
        one.from_day.toFixed(2),
        one.found_day?.toFixed(2) ?? 'never',
        one.level ?? '-',
        String(one.calls),
      ]),
      'Nothing was wrong.',
    ),
    '',
    `What the oracle found${more > 0 ? ` (${shown.length} of ${findings.length})` : ''}`,
    table(
      ['day', 'judged', 'level', 'severity', 'metric', 'where', 'detector'],
      shown.map((one) => [
        one.day.toFixed(2),
        one.judged,
        one.level,
        one.severity,
        `${one.metric} ${one.direction}`,
        whereOf(one),
        one.detector,
      ]),
      'Nothing.',
    ),
    '',
    'What it changed',
    table(
      ['day', 'type', 'agent', 'what', 'now', 'ended', 'worth a call', 'why'],
      changes.map(changeCells),
      'Nothing.',
    ),
    '',
    table(
      ['', 'satisfied', 'errors', 'mean latency', 'cost', 'worth'],
      [
        scoreCells('nothing changed', report.nothing),
        scoreCells('the oracle', report.loop),
        scoreCells('who knows the world', report.omniscient),
      ],
      '',
    ),
    gainText(report),
  ].join('\n');
}

/** False alarms first, then what is firm. */
function byWeight(left: FoundRow, right: FoundRow): number {
  const rank = ({ judged, level }: FoundRow): number =>
    ['false', 'true', 'aside'].indexOf(judged) * 3 + ['act', 'investigate', 'note'].indexOf(level);
  return rank(left) - rank(right) || left.day - right.day;
}

function whereOf({ agent, target, tenant, category }: FoundRow): string {
  const parts = [
    agent,
    target && `at ${target}`,
    category && `in ${category}`,
    tenant && `of ${tenant}`,
  ];
  return parts.filter((part) => part !== null && part !== '').join(' ');
}

function changeCells(change: ChangeRow): readonly string[] {
  const { day, type, agent, patch, state, ended_day, worth_usd, reason } = change;
  const worth = worth_usd === null ? '-' : `${worth_usd >= 0 ? '+' : ''}${worth_usd.toFixed(4)} $`;
  const own = (patch as { readonly agents?: Record<string, unknown> }).agents?.[agent] ?? patch;
  const ended = ended_day === null ? '-' : ended_day.toFixed(2);
  return [day.toFixed(2), type, agent, JSON.stringify(own), state, ended, worth, reason ?? ''];
}

function scoreCells(name: string, score: Score): readonly string[] {
  const visits = Math.max(1, score.visits);
  return [
    name,
    `${((100 * score.satisfied) / visits).toFixed(2)} %`,
    `${((100 * score.errors) / visits).toFixed(2)} %`,
    `${Math.round(score.latency_mean_ms)} ms`,
    `${score.cost_usd.toFixed(2)} $`,
    `${score.utility_usd.toFixed(2)} $`,
  ];
}

function gainText(report: SimReport): string {
  const gained = gainedOf(report);
  const { better, worse, worse_in_canary } = report.compared;
  const part =
    gained === null
      ? 'There was nothing to gain.'
      : `Of what was to be gained, ${(100 * gained).toFixed(0)} % was.`;
  const visits = `${better} visits came out better and ${worse} worse than without it`;
  return `${part} ${visits} (${worse_in_canary} of these in a canary).`;
}

export function summaryText(summary: Summary): string {
  const { runs, seeds, weeks, truths, found, found_within, gained_mean } = summary;
  const share = (part: number, whole: number): string =>
    whole === 0 ? 'none' : `${part} of ${whole} (${((100 * part) / whole).toFixed(1)} %)`;
  const gained = gained_mean === null ? 'nothing was' : `${(100 * gained_mean).toFixed(0)} %`;
  return [
    `World ${summary.world}: ${runs} runs, seeds ${seeds[0]} to ${seeds[1]}, ` +
      `${weeks.toFixed(1)} weeks in all.`,
    `False findings: ${summary.false_findings} (${summary.false_per_week.toFixed(2)} a week), ` +
      `${summary.false_at_act} of them at the level of action, in ` +
      `${share(summary.runs_with_false_at_act, runs)} runs.`,
    `What was wrong was found: ${share(found, truths)}; ` +
      `within ${found_within.calls} calls of its cell: ${share(found_within.found, truths)}; ` +
      `median ${summary.calls_median ?? '-'} calls.`,
    `Changes: ${summary.promoted} kept, ${summary.promoted_bad} of these for the worse; ` +
      `${summary.withdrawn} taken back.`,
    `Gained of what was to be gained: ${gained}. ` +
      `Visits better ${summary.better}, worse ${summary.worse}, of ${summary.visits}.`,
  ].join('\n');
}
