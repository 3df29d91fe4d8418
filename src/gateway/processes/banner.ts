import type { Snapshot } from '../../config/snapshot.ts';

export interface BannerFacts {
  readonly product_version: string;
  readonly gateway_url: string;
  readonly admin_url: string | null;
  readonly data_dir: string;
  readonly snapshot: Snapshot;
  /** Names of targets that can answer now. */
  readonly live: readonly string[];
  readonly time_scale: number;
  /** What is not as the policy wants it: absent providers, overrides, a worker that is not up. */
  readonly remarks: readonly string[];
}

const CHAT = '/v1/chat/completions';
const REMARKS_MAX = 3;
const DEMO =
  'demo model: repeats one lower-case word; ' +
  'set OPENAI_API_KEY (or ANTHROPIC_API_KEY) for a real one';

/** What the terminal shows at a start: at most 12 lines, the last of them a command to try. */
export function banner(facts: BannerFacts): string {
  const { snapshot } = facts;
  const agent = snapshot.agents.has('helpful_assistant')
    ? 'helpful_assistant'
    : ([...snapshot.agents.keys()][0] ?? 'default');
  const remarks = facts.remarks.slice(0, REMARKS_MAX);
  if (facts.remarks.length > REMARKS_MAX) {
    remarks.push(`and ${facts.remarks.length - REMARKS_MAX} more: npm run hive -- check`);
  }
  const scale = facts.time_scale === 1 ? '' : `   policy time × ${facts.time_scale}`;
  const body = JSON.stringify({ model: agent, messages: [{ role: 'user', content: 'hello' }] });
  const key = snapshot.policy.access.mode === 'keys' ? '-H "x-api-key: $KEY" ' : '';
  return [
    `Liquid Hive ${facts.product_version}   policy ${snapshot.version.slice(0, 12)}${scale}`,
    `  gateway  ${facts.gateway_url}/v1   (OpenAI's API: change only the base URL)`,
    `  admin    ${facts.admin_url ?? 'starting: see the log'}   (oracle API, /status, /metrics)`,
    `  answers  ${answering(facts, agent)}`,
    `  agents   ${[...snapshot.agents.keys()].join(', ')}   data ${facts.data_dir}`,
    ...remarks.map((remark) => `  note     ${remark}`),
    `  try      curl ${facts.gateway_url}${CHAT} -H 'content-type: application/json' \\`,
    `             ${key}-d '${body}'`,
  ].join('\n');
}

/** Which model answers the agent, and why it is that one. */
function answering({ snapshot, live }: BannerFacts, agent: string): string {
  const targets = snapshot.agents.get(agent)?.view.targets ?? [];
  const own = targets.filter((target) => !target.fallback_only);
  const used = (own.length > 0 ? own : targets).filter(({ name }) => live.includes(name));
  if (used.length === 0) return `nothing can answer ${agent} yet: no provider is configured`;
  const names = used.map(({ name }) => {
    const target = snapshot.targets.get(name);
    return `${name} (${target?.model} at ${target?.provider_name})`;
  });
  const first = snapshot.targets.get(used[0]?.name ?? '');
  const isDemo = first?.fallback_only === true && own.length === 0;
  return isDemo ? `${names.join(', ')}\n           ${DEMO}` : names.join(', ');
}
