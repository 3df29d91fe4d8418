import type { Way } from './answers.ts';

/** Every pair of a client's route and an upstream's dialect that the gateway joins. */
export const WAYS: readonly Way[] = [
  ...['/v1/chat/completions', '/v1/messages'].flatMap((path) =>
    ['from-openai', 'from-anthropic'].map((target) => ({ path, target })),
  ),
  { path: '/v1/responses', target: 'from-openai' },
];

/** Targets of both dialects at one upstream that is asked once a call, whatever it did before. */
export function wildPolicy(): string {
  return `version: 1
providers:
  oa: { use: openai, base_url: "\${WILD_URL}", api_key: "\${WILD_KEY}", network: private }
  an: { use: anthropic, base_url: "\${WILD_URL}", api_key: "\${WILD_KEY}", network: private }
targets:
  from-openai: { provider: oa, model: wild }
  from-anthropic: { provider: an, model: wild }
agents:
  default: { targets: [from-openai, from-anthropic] }
  claude: { targets: [from-anthropic] }
plugins:
  - use: prompt-patcher
  - use: lora-hotplug
  - use: model-router
resilience:
  timeouts: { connect_ms: 2000, first_token_ms: 1000, idle_ms: 1000, total_ms: 5000 }
  retry: { retries: 0 }
  breaker: { calls_min: 1000000, failures: 1000000 }
  overload: { in_flight: 1000 }
`;
}
