import { join } from 'node:path';
import OpenAI from 'openai';
import { type Product, REPO } from '../kit/product.ts';

/**
 * A small world of users for end-to-end tests. Each user asks one thing, through the real SDK, and
 * rates the answer by one of the three ways in turn; a fixed share of them rates at random.
 */
export interface Population {
  readonly agent: string;
  ask(user: number): string;
  satisfied(question: string, answer: string): boolean;
}

/** Asks one lower-case word and wants it back in capitals. */
export const wantsCapitals: Population = {
  agent: 'helpful_assistant',
  ask: (user) => wordOf(user),
  satisfied: (question, answer) => answer === question.toUpperCase(),
};

/** Asks anything and wants a kind answer. */
export const wantsKindness: Population = {
  agent: 'stern',
  ask: (user) => `question ${user}`,
  satisfied: (_, answer) => answer.includes('friend'),
};

/** A word of 3 to 7 lower-case letters that belongs to the number. */
export function wordOf(user: number): string {
  const letters: string[] = [];
  let state = (user + 1) * 2654435761;
  for (let index = 0; index < 3 + (user % 5); index += 1) {
    state = (Math.imul(state ^ (state >>> 13), 1274126177) + index) >>> 0;
    letters.push(String.fromCharCode(97 + (state % 26)));
  }
  return letters.join('');
}

export interface Tally {
  calls: number;
  satisfied: number;
  errors: number;
}

export interface Traffic {
  readonly tally: Tally;
  stop(): Promise<Tally>;
}

/** Starts users who ask one after another, `concurrency` at a time, until they are told to stop. */
export function startTraffic(
  product: Product,
  population: Population,
  options: { readonly first_user: number; readonly concurrency: number },
): Traffic {
  const client = clientOf(product);
  const tally: Tally = { calls: 0, satisfied: 0, errors: 0 };
  let next = options.first_user;
  let open = true;
  const one = async (): Promise<void> => {
    while (open) {
      const user = next;
      next += 1;
      await visit(product, client, population, user, tally);
    }
  };
  const running = Promise.all(Array.from({ length: options.concurrency }, one));
  return {
    tally,
    async stop() {
      open = false;
      await running;
      return tally;
    },
  };
}

export function clientOf(product: Product): OpenAI {
  return new OpenAI({ baseURL: `${product.gateway_url}/v1`, apiKey: 'none', maxRetries: 0 });
}

/** One user: a call, and a rating of its answer. One in twenty rates against their own opinion. */
async function visit(
  product: Product,
  client: OpenAI,
  population: Population,
  user: number,
  tally: Tally,
): Promise<void> {
  const question = population.ask(user);
  const headers = {
    'x-agent-id': population.agent,
    'x-user-id': `user-${population.agent}-${user}`,
    'x-session-id': `session-${population.agent}-${user}`,
  };
  tally.calls += 1;
  let answer: string;
  let id: string;
  try {
    const { data, response } = await client.chat.completions
      .create(
        { model: population.agent, messages: [{ role: 'user', content: question }] },
        { headers },
      )
      .withResponse();
    answer = data.choices[0]?.message.content ?? '';
    id = response.headers.get('x-hive-call-id') ?? '';
  } catch (error) {
    if (!(error instanceof OpenAI.APIError)) throw error;
    tally.errors += 1;
    return;
  }
  const satisfied = population.satisfied(question, answer);
  if (satisfied) tally.satisfied += 1;
  const opinion = user % 20 === 0 ? !satisfied : satisfied;
  await rate(product, user, { id, headers, rating: opinion ? 5 : 1 });
}

async function rate(
  product: Product,
  user: number,
  given: { readonly id: string; readonly headers: Record<string, string>; readonly rating: number },
): Promise<void> {
  const json = { 'content-type': 'application/json' };
  const post = (path: string, body: unknown): Promise<Response> =>
    fetch(`${product.gateway_url}${path}`, {
      method: 'POST',
      headers: { ...json, ...given.headers },
      body: JSON.stringify(body),
    });
  const answer =
    user % 2 === 0
      ? await post('/feedback', { call_id: given.id, rating: given.rating })
      : await post('/api/v1/feedback/collect', {
          agent_id: given.headers['x-agent-id'],
          session_id: given.headers['x-session-id'],
          explicit: { rating: given.rating },
        });
  if (answer.status !== 202) throw new Error(`feedback: ${answer.status} ${await answer.text()}`);
  await answer.body?.cancel();
}

export interface Files {
  readonly [path: string]: string;
}

/**
 * Policies in which the embedded model serves `helpful_assistant`, a scripted upstream serves
 * `stern`, and a broken one waits to be swapped in. Units and minutes are lowered; α is not.
 */
export function worldPolicies(scripted_url: string, broken_url: string): Files {
  const file = (name: string): string => join(REPO, 'models', name);
  return {
    'gateway.yaml': `version: 1
providers:
  local:
    use: embedded
    model: ${file('echo.gguf')}
    adapters: { upper: ${file('upper.gguf')}, reverse: ${file('reverse.gguf')} }
  scripted: { use: openai, network: private, base_url: ${scripted_url} }
  broken: { use: openai, network: private, base_url: ${broken_url} }
targets:
  demo: { provider: local }
  scripted: { provider: scripted, model: scripted-1 }
  broken: { provider: broken, model: broken-1 }
agents:
  helpful_assistant: { targets: [demo] }
  stern: { targets: [scripted] }
  default: { targets: [demo] }
plugins:
  - { use: prompt-patcher }
  - { use: lora-hotplug }
  - { use: model-router }
resilience: { retry: { retries: 0, backoff_ms: [10, 20] } }
`,
    'oracle_policies.yaml': `version: 1
thresholds:
  satisfaction: { dissatisfied: { warning: 0.15, critical: 0.3 } }
safety:
  canary:
    share: 0.05
    ramp: [0.25, 0.5, 1]
    minutes_min: 10
    units_min: 30
    days_max: 14
    step: { minutes: 5, units: 10 }
bounds:
  /agents/*/adapter: { allow: [upper, reverse] }
  /agents/*/prompt: { candidates: [kindness@1], ops: [system.append], tokens_added_max: 400 }
  /agents/*/targets: { add_from: [broken], min_left: 1 }
`,
    'prompts/kindness.yaml': `version: 1
name: kindness
versions: { 1: { ops: [{ op: system.append, text: "Be kind." }] } }
labels: { production: 1 }
`,
  };
}
