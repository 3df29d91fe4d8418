import { html } from 'hono/html';
import type { TargetLately } from '../core/state.ts';
import type { CandidateSummary } from '../oracle/proposals/proposals.ts';
import type { Status } from './status.ts';

type Html = ReturnType<typeof html>;

/** What is not known is a dash, never a zero. */
const UNKNOWN = '–';

/** Each target as the gateway has come to know it: what the router and the breakers go by. */
export function targetTable({ targets }: Status): Html {
  const names = Object.keys(targets).sort();
  if (names.length === 0) return html`<p class="quiet">None has been heard of.</p>`;
  const rows = names.map((name) => {
    const { breaker, in_flight, queue = 0, limit = null, limited, lately } = targets[name] ?? {};
    const bad = breaker !== 'closed' || limited === true;
    const waiting = queue > 0 ? `, ${queue} wait` : '';
    const cells = [
      `${in_flight ?? 0}${limit === null ? '' : ` of ${limit}`}${waiting}`,
      firstByteText(lately),
      lately ? percentText(lately.error_rate) : UNKNOWN,
      headroomText(lately),
      usdText(lately?.cost_usd ?? null),
    ];
    return html`<tr><td>${name}</td>
<td class="${bad ? 'bad' : ''}">${breaker}${limited === true ? ', limited' : ''}</td>
${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`;
  });
  return html`<div class="wide"><table><tr><th>target</th><th>breaker</th><th>in flight</th>
<th>first byte: stream, whole</th><th>errors</th><th>limits left</th><th>cost a call</th></tr>
${rows}</table></div>
<p class="quiet">Means and rates of late: an attempt counts half after a minute.</p>`;
}

/** Nothing where no model may propose: then there is nothing to see either. */
export function proposalSection({ proposals, candidates }: Status): Html | string {
  if (candidates === null) return html`<h2>Proposals</h2><p class="bad">Unknown: no answer.</p>`;
  const off = proposals === null || proposals.state === 'off';
  if (off && candidates.length === 0) return '';
  return html`<h2>Proposals</h2>
${proposals === null ? '' : stateText(proposals)}
${candidateTable(candidates)}`;
}

function stateText({ state, reason, spent, budget }: NonNullable<Status['proposals']>): Html {
  const of = (most: number | undefined): string => (most === undefined ? '' : ` of ${most}`);
  const usd_max = budget?.usd_per_day;
  const usd = usd_max === undefined ? '' : `, ${usdText(spent.usd)} of ${usdText(usd_max)}`;
  return html`<p>${state}: ${reason}</p>
<p class="quiet">Spent on ${spent.day}: ${spent.calls}${of(budget?.calls_per_day)}
calls, ${spent.tokens}${of(budget?.tokens_per_day)} tokens${usd}.</p>`;
}

function candidateTable(candidates: readonly CandidateSummary[]): Html {
  if (candidates.length === 0)
    return html`<p class="quiet">No model has proposed anything yet.</p>`;
  const rows = candidates.map(({ id, agent, state, pairs, evidence, plan, plan_state, reason }) => {
    const verdict = `${pairs.win} / ${pairs.loss} / ${pairs.tie}`;
    const planned = plan === null ? '' : `${plan} (${plan_state ?? 'unknown'})`;
    return html`<tr><td><code>${id}</code></td><td>${agent}</td><td>${state}</td>
<td>${verdict}</td><td>${Number(evidence.better.toPrecision(3))}</td>
<td>${planned === '' ? reason : html`<code>${planned}</code>`}</td></tr>`;
  });
  return html`<div class="wide"><table><tr><th>proposal</th><th>agent</th><th>state</th>
<th>won / lost / alike</th><th>e-value</th><th>plan, or why</th></tr>${rows}</table></div>
<pre>npx hive proposals show ${candidates[0]?.id}</pre>`;
}

function firstByteText(lately: TargetLately | undefined): string {
  const ms = (value: number | null | undefined): string =>
    value === null || value === undefined ? UNKNOWN : `${Math.round(value)} ms`;
  const { stream, whole } = lately?.first_byte_ms ?? {};
  return `${ms(stream?.all)}, ${ms(whole?.all)}`;
}

function headroomText(lately: TargetLately | undefined): string {
  const { headroom = null, requests_left = null, tokens_left = null } = lately ?? {};
  if (headroom === null) return UNKNOWN;
  const left = [
    ...(requests_left === null ? [] : [`${requests_left} requests`]),
    ...(tokens_left === null ? [] : [`${tokens_left} tokens`]),
  ];
  return `${percentText(headroom)}${left.length > 0 ? ` (${left.join(', ')})` : ''}`;
}

export function percentText(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}

/** Three digits, and no exponent: a call may cost less than a millionth. */
function usdText(usd: number | null): string {
  if (usd === null) return UNKNOWN;
  if (usd === 0) return '$0';
  return `$${Number(usd.toPrecision(3))
    .toFixed(12)
    .replace(/\.?0+$/, '')}`;
}
