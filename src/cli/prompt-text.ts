import type { PromptDetail, PromptMoved, PromptSummary } from '../oracle/prompt-answers.ts';
import type { MeanOfUnits, PromptImpact, ShareOfUnits } from '../store/prompt-impact.ts';
import { plain, tableText, timeText } from './text.ts';

export function promptsText(prompts: readonly PromptSummary[]): string {
  const rows = prompts.map((prompt) => [
    prompt.name,
    prompt.versions.join(', '),
    labelsText(prompt),
    Object.entries(prompt.agents)
      .map(([agent, version]) => `${agent} (@${version})`)
      .join(', ') || '-',
  ]);
  const none = 'No prompts: they are files of policies/prompts, or hive prompts import.';
  return tableText(['prompt', 'versions', 'labels', 'agents'], rows, none);
}

function labelsText({ labels, protected: kept }: PromptSummary): string {
  const entries = Object.entries(labels);
  const texts = entries.map(([label, version]) => {
    return `${label}=${version}${kept.includes(label) ? ' (protected)' : ''}`;
  });
  return texts.join(', ') || '-';
}

export function promptText(prompt: PromptDetail, days: number): string {
  const versions = prompt.contents.map(({ version, source, tokens_added, content }) => {
    const made = [content.author, content.parent, content.note].filter(Boolean).join(', ');
    const ops = content.ops.map(({ op }) => op).join(', ');
    const by = made === '' ? '' : ` (${made})`;
    return plain(`@${version} from ${source}, up to ${tokens_added} tokens: ${ops}${by}`);
  });
  const history = prompt.history.map(({ at_ms, what, state, rollback_key, reason }) => [
    timeText(at_ms),
    what.join(', '),
    state,
    reason ?? '-',
    rollback_key,
  ]);
  return [
    `${plain(prompt.name)}: ${labelsText(prompt)}`,
    ...versions,
    '',
    tableText(['moved', 'what', 'state', 'why', 'rollback key'], history, 'Moved by nobody yet.'),
    '',
    `Impact over ${days} days, each unit once, 95 % intervals. Versions that served at other times`,
    'served other traffic: a canary proves a difference, this table only shows one.',
    impactText(prompt.impact),
  ].join('\n');
}

const HEAD = [
  'version',
  'units',
  'errors',
  'dissatisfied',
  'rating',
  'refusals',
  'cost mUSD',
  'tokens in',
  'cached %',
  'lost cache mUSD',
  'tokens out',
  'latency ms',
  'p95 ms',
];

function impactText(impact: readonly PromptImpact[]): string {
  const rows = impact.map((one) => [
    one.version === null ? 'without' : `@${one.version}`,
    String(one.units),
    shareText(one.errors),
    shareText(one.dissatisfied),
    meanText(one.rating, 1, 2),
    shareText(one.refusals),
    meanText(one.cost_usd, 1000, 2),
    meanText(one.tokens_in, 1, 0),
    meanText(one.cached, 100, 0),
    meanText(one.lost_cache_usd, 1000, 2),
    meanText(one.tokens_out, 1, 0),
    meanText(one.latency_ms, 1, 0),
    one.latency_p95_ms === null ? '-' : one.latency_p95_ms.toFixed(0),
  ]);
  return tableText(HEAD, rows, 'No call had it yet.');
}

function shareText({ units, rate, interval }: ShareOfUnits): string {
  if (units === 0) return '-';
  const [low, high] = interval.map((end) => (end * 100).toFixed(1));
  return `${(rate * 100).toFixed(1)} % [${low}, ${high}]`;
}

function meanText({ mean, interval }: MeanOfUnits, scale: number, digits: number): string {
  if (mean === null) return '-';
  const text = (mean * scale).toFixed(digits);
  if (interval === null) return `${text} [too few]`;
  return `${text} [${interval.map((end) => (end * scale).toFixed(digits)).join(', ')}]`;
}

export function movedText(moved: PromptMoved): string {
  const { name, label, from, to, version, already, effective, rollback_key } = moved;
  const what =
    label === null
      ? `${name}@${version} is there`
      : `label ${label} of ${name} is at ${to ?? 'nothing'} (was ${from ?? 'nothing'})`;
  if (already) return plain(`${what}: nothing had to change.`);
  const served = effective
    ? 'every gateway serves it'
    : 'stored; not every gateway has said within a second that it serves it';
  const back = rollback_key === null ? '' : `; its key is ${rollback_key}`;
  return plain(`${what}; ${served}${back}.`);
}
