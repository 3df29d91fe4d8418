import Anthropic from '@anthropic-ai/sdk';
import type { Upstream } from '../kit/upstream.ts';
import { type RunningGateway, startGateway } from './gateway-kit.ts';
import { anthropicAt, makeSnapshot } from './snapshot.ts';

type Spec = Partial<Parameters<typeof makeSnapshot>[0]>;

/** A gateway before one Anthropic upstream, and the unmodified client that calls it. */
export interface MessagesWorld {
  readonly gateway: RunningGateway;
  readonly claude: Anthropic;
  readonly post: (
    body: unknown,
    headers?: Record<string, string>,
    path?: string,
  ) => Promise<Response>;
}

export async function startMessages(upstream: Upstream, more: Spec = {}): Promise<MessagesWorld> {
  const provider = anthropicAt(upstream.url);
  const resilience = { retry: { retries: 0, budget: 1, backoff_ms: [1, 5] } } as const;
  const gateway = await startGateway(
    makeSnapshot({ targets: { main: { provider } }, resilience, ...more }),
  );
  return {
    gateway,
    claude: new Anthropic({ baseURL: gateway.url, apiKey: 'unused', maxRetries: 0 }),
    post: (body, headers = {}, path = '/v1/messages') =>
      fetch(gateway.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
  };
}

export function hello(text = 'hello') {
  return {
    model: 'default',
    max_tokens: 100,
    messages: [{ role: 'user' as const, content: text }],
  };
}
