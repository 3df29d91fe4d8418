import { hash } from 'node:crypto';
import { html, raw } from 'hono/html';
import type { Mutation, Plan } from '../core/oracle.ts';
import type { AgentEntry } from '../core/policy.ts';
import type { CanaryStatus } from '../oracle/oracle.ts';
import type { Route } from './route.ts';
import type { Status } from './status.ts';

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #8884 }
code, pre { font-family: ui-monospace, monospace; font-size: .9em }
pre { background: #8881; padding: .5rem; overflow-x: auto }
.bad { color: #b00020 }
:root { color-scheme: light dark }
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
<p>${sentence(status)}</p>
${status.problems.map((problem) => html`<p class="bad">${problem}</p>`)}
${policyError(status.policy_error)}
${status.notices.map((notice) => html`<p>${notice}</p>`)}
<h2>Agents</h2>
${agentTable(status.agents)}
<h2>Canaries</h2>
${canaryTable(status.canaries)}
<h2>Plans that wait for approval</h2>
${waitingPlans(status.plans_waiting, own_url)}
<h2>What is here</h2>
<table>
${routes.map(routeRow)}
</table>
<p>Each in <code>docs/api.md</code>. This page refreshes itself every 10 seconds.</p>
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
        `${status.gateway.calls_open ?? 0} calls are open.`;
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

function agentTable(agents: Readonly<Record<string, AgentEntry>>): Html {
  const rows = Object.entries(agents).map(
    ([name, agent]) => html`<tr><td>${name}</td><td>${weightsText(agent)}</td>
<td>${agent.prompt ?? 'none'}</td><td>${agent.adapter}</td></tr>`,
  );
  return html`<table><tr><th>agent</th><th>targets and weights</th><th>prompt</th><th>adapter</th>
</tr>${rows}</table>`;
}

function weightsText(agent: AgentEntry): string {
  return Object.entries(agent.targets)
    .map(([target, weight]) => `${target} ${weight}`)
    .join(', ');
}

function canaryTable(canaries: readonly CanaryStatus[] | null): Html {
  if (canaries === null) return html`<p class="bad">Unknown: the oracle did not answer.</p>`;
  if (canaries.length === 0) return html`<p>None.</p>`;
  const rows = canaries.map(
    (canary) => html`<tr><td>${canary.agent}</td><td>${canary.state}</td>
<td>${Math.round(canary.share * 1000) / 10} %</td><td><code>${canary.rollback_key}</code></td>
<td>${judgementText(canary)}</td></tr>`,
  );
  return html`<table><tr><th>agent</th><th>state</th><th>share</th><th>rollback key</th>
<th>last judgement</th></tr>${rows}</table>`;
}

function judgementText({ judgement }: CanaryStatus): string {
  return typeof judgement?.reason === 'string' ? judgement.reason : 'not judged yet';
}

function waitingPlans(plans: readonly Plan[] | null, own_url: string): Html {
  if (plans === null) return html`<p class="bad">Unknown: the oracle did not answer.</p>`;
  if (plans.length === 0) return html`<p>None.</p>`;
  return html`${plans.map(
    (plan) => html`<p>${plan.id}, by ${plan.origin}, until ${plan.expires_at}:
${plan.mutations.map(mutationText).join('; ')}</p>
<pre>npx hive approve ${plan.id}
npx hive reject ${plan.id}
curl -X POST ${own_url}/api/v1/oracle/plans/${plan.id}/approve</pre>`,
  )}`;
}

function mutationText(mutation: Mutation): string {
  const why = mutation.why === null ? '' : ` (${mutation.why})`;
  return `${mutation.type} for ${mutation.agent}: ${JSON.stringify(mutation.patch)}${why}`;
}
