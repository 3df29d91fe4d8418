import { hash } from 'node:crypto';
import { html, raw } from 'hono/html';
import type { Mutation, Plan } from '../core/oracle.ts';
import type { AgentEntry } from '../core/policy.ts';
import type { CanaryStatus, MutationStatus } from '../oracle/oracle.ts';
import { percentText, proposalSection, targetTable } from './page-tables.ts';
import type { Route } from './route.ts';
import { openCallsText, type Status } from './status.ts';

const STYLE = `
:root { color-scheme: light dark; --line: #8883; --soft: #8881; --good: #2a9d4a }
:root { --quiet: light-dark(#666, #a0a0a0); --bad: light-dark(#c02020, #ff7070) }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
body { overflow-wrap: break-word }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.05rem; margin: 1.75rem 0 .5rem }
h3 { font-size: 1rem; margin: 0 } p { margin: .35rem 0 }
table { border-collapse: collapse; width: 100% }
th { font-weight: 600; color: var(--quiet); font-size: .85em }
th, td { text-align: left; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line) }
.wide, .rolls { overflow-x: auto } .wide td, .wide th { white-space: nowrap }
.why { min-width: 12rem }
.wide td:first-child { white-space: normal; overflow-wrap: anywhere; min-width: 7rem }
.wide td:last-child { white-space: normal; min-width: 6rem }
td { vertical-align: top } meter { width: 9rem; vertical-align: middle }
code, pre { font-family: ui-monospace, monospace; font-size: .86em }
pre { background: var(--soft); border-radius: 6px; padding: .5rem .75rem; margin: .5rem 0 0 }
pre { overflow-x: auto } td code { white-space: nowrap }
article { border: 1px solid var(--line); border-radius: 8px; padding: .75rem 1rem; margin: .5rem 0 }
summary { cursor: pointer } .quiet { color: var(--quiet) }
.bad { color: var(--bad) } .ok::before { content: "● "; color: var(--good) }
`;

/** Nothing is loaded from anywhere and nothing runs: a page that a stored name cannot make act. */
export const PAGE_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${hash('sha256', STYLE, 'base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

type Html = ReturnType<typeof html>;

/** The state in words, and what is here. The dashboard comes later. */
export function renderPage(status: Status, routes: readonly Route[], own_url: string): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="10">
<title>Liquid Hive</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<h1>Liquid Hive ${status.versions.hive}</h1>
<p class="${status.ready ? 'ok' : 'bad'}">${sentence(status)}</p>
${status.problems.map((problem) => html`<p class="bad">${problem}</p>`)}
${policyError(status.policy_error)}
${status.notices.map((notice) => html`<p class="quiet">${notice}</p>`)}
<h2>Plans that wait for approval</h2>
${waitingPlans(status.plans_waiting, own_url)}
<h2>Canaries</h2>
${canaryCards(status)}
${experimentCards(status)}
${proposalSection(status)}
<h2>Agents</h2>
${agentTable(status)}
<h2>Targets</h2>
${targetTable(status)}
<h2>Newest changes</h2>
${changeTable(status.changes)}
<h2>What is here</h2>
<details><summary>${routes.length} routes, each in <code>docs/api.md</code></summary>
<div class="rolls"><table>
${routes.map(routeRow)}
</table></div></details>
<p class="quiet">This page refreshes itself every 10 seconds.</p>
</body>
</html>`;
}

function sentence(status: Status): string {
  const { policy } = status.versions;
  const frozen = status.frozen === true ? ' Canaries are frozen.' : '';
  const scale = status.time.scale === 1 ? '' : ` Policy time runs ${status.time.scale}×.`;
  const serving =
    policy === null
      ? 'The gateway has not reported yet.'
      : `The gateway at ${status.gateway.url} serves policy ${policy.slice(0, 12)}; ` +
        openCallsText(status);
  const store = status.store.ok ? 'answers' : 'does not answer';
  return `${serving} The store (${status.store.kind}) ${store}.${frozen}${scale}`;
}

function policyError(reason: string | null): Html | string {
  if (reason === null) return '';
  return html`<p class="bad">The policy files on disk do not load; the last good policy serves on:
</p><pre>${reason}</pre>`;
}

function routeRow({ method, path, summary }: Route): Html {
  return html`<tr><td><code>${method} ${path}</code></td><td>${summary}</td></tr>`;
}

function agentTable({ agents, targets }: Status): Html {
  const rows = Object.entries(agents).map(
    ([name, agent]) => html`<tr><td>${name}</td><td>${weightsText(agent, targets)}</td>
<td>${agent.prompt ?? 'none'}</td><td>${agent.adapter}</td></tr>`,
  );
  return html`<div class="rolls"><table><tr><th>agent</th><th>targets and weights</th>
<th>prompt</th><th>adapter</th></tr>${rows}</table></div>`;
}

/** A target that cannot be asked now says so: its weight goes to the others meanwhile. */
function weightsText(agent: AgentEntry, targets: Status['targets']): string {
  const otherwise = Object.keys(targets).length > 0 ? 'absent' : 'closed';
  return Object.entries(agent.targets)
    .map(([target, weight]) => {
      const breaker = targets[target]?.breaker ?? otherwise;
      return `${target} ${weight}${breaker === 'closed' ? '' : ` (${breaker})`}`;
    })
    .join(', ');
}

function canaryCards({ canaries, changes }: Status): Html {
  if (canaries === null) return html`<p class="bad">Unknown: the oracle did not answer.</p>`;
  if (canaries.length === 0) return html`<p class="quiet">None.</p>`;
  return html`${canaries.map((canary) => {
    const { share, agent, state, mutation, rollback_key } = canary;
    const change = changes?.find(({ id }) => id === mutation);
    const what = change ? `${change.type} for ${agent}` : agent;
    return html`<article><h3>${what}</h3>
${change ? html`<p><code>${patchText(change)}</code></p>` : ''}
<p>${state} at ${percentText(share)} <meter value="${share}">${percentText(share)}</meter>
${judgementText(canary)}</p>
<pre>npx hive rollback ${rollback_key}</pre></article>`;
  })}`;
}

/** Nothing where there is none: most policies have no experiment. */
function experimentCards({ experiments }: Status): Html | string {
  const shown = experiments?.filter(({ state }) => state !== 'removed') ?? [];
  if (shown.length === 0) return '';
  return html`<h2>Experiments</h2>${shown.map(
    ({ name, agent, state, arms, sentence, serves }) => html`<article><h3>${name} for ${agent}</h3>
<p>${state}; calls get ${serves}; ${arms.map(({ arm, units }) => `${arm} ${units}`).join(', ')}
units</p><p>${sentence}</p>
<pre>npx hive experiments show ${name}</pre></article>`,
  )}`;
}

function judgementText({ judgement }: CanaryStatus): string {
  return typeof judgement?.reason === 'string' ? judgement.reason : 'not judged yet';
}

function waitingPlans(plans: readonly Plan[] | null, own_url: string): Html {
  if (plans === null) return html`<p class="bad">Unknown: the oracle did not answer.</p>`;
  if (plans.length === 0) return html`<p class="quiet">None.</p>`;
  return html`${plans.map(
    (plan) => html`<article>${plan.mutations.map(mutationCard)}
<p class="quiet">Planned by ${plan.origin === 'oracle' ? 'the oracle' : 'a person'}; it expires at
${plan.expires_at}.</p>
<pre>npx hive approve ${plan.id}
npx hive reject ${plan.id}
curl -X POST ${own_url}/api/v1/oracle/plans/${plan.id}/approve</pre></article>`,
  )}`;
}

function mutationCard(mutation: Mutation): Html {
  const { type, agent, confidence, risk, why } = mutation;
  const sure = confidence === null ? '' : `, confidence ${confidence.value.toFixed(2)}`;
  return html`<h3>${type} for ${agent}</h3>
<p><code>${patchText(mutation)}</code> <span class="quiet">risk ${risk}${sure}</span></p>
${why === null ? '' : html`<p>${why}</p>`}`;
}

function changeTable(changes: readonly MutationStatus[] | null): Html {
  if (changes === null) return html`<p class="bad">Unknown: the oracle did not answer.</p>`;
  if (changes.length === 0) return html`<p class="quiet">None.</p>`;
  const rows = changes.map(
    (change) => html`<tr><td>${change.type}</td><td>${change.agent}</td>
<td><code>${patchText(change)}</code></td><td>${change.state}</td><td>${change.reason ?? ''}</td>
</tr>`,
  );
  return html`<div class="rolls"><table><tr><th>type</th><th>agent</th><th>change</th><th>state</th>
<th class="why">why</th></tr>${rows}</table></div>`;
}

/** What is written, below the agent that it is written for. */
function patchText({ patch, agent }: Pick<Mutation, 'patch' | 'agent'>): string {
  const own = (patch.agents as Readonly<Record<string, unknown>> | undefined)?.[agent];
  return JSON.stringify(own ?? patch);
}
