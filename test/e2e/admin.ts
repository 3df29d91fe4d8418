import type { JsonObject } from '../../src/core/canonical.ts';
import type { Plan } from '../../src/core/oracle.ts';
import type { CanaryStatus, Execution, Rollback, Validation } from '../../src/oracle/oracle.ts';
import type { Product } from '../kit/product.ts';
import { until } from '../kit/until.ts';

/** The admin API as an operator's script would call it; an answer that is no 2xx is thrown. */
export interface Admin {
  get<Answer>(path: string): Promise<Answer>;
  post<Answer>(path: string, body?: unknown): Promise<Answer>;
}

export function adminOf(product: Product): Admin {
  const call = async <Answer>(method: string, path: string, body?: unknown): Promise<Answer> => {
    const answer = await fetch(`${product.admin_url}/api/v1/oracle/${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as Answer;
  };
  return {
    get: (path) => call('GET', path),
    post: (path, body) => call('POST', path, body),
  };
}

/**
 * The version that serves an agent's plain calls now. A call may fall into a running canary, which
 * is another version; such an answer says nothing of the plain ones, so another user asks.
 */
export async function versionOf(product: Product, agent: string): Promise<string> {
  for (let asked = 1; asked <= 50; asked += 1) {
    const answer = await fetch(`${product.gateway_url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-agent-id': agent },
      body: JSON.stringify({ model: agent, messages: [{ role: 'user', content: 'version' }] }),
    });
    await answer.body?.cancel();
    const version = answer.headers.get('x-hive-version');
    if (version === null) throw new Error(`no x-hive-version: ${answer.status}`);
    if (!answer.headers.get('x-hive-arm')?.endsWith('/canary')) return version;
  }
  throw new Error(`every answer of ${agent} came from a canary`);
}

export async function canaryOf(admin: Admin, mutation: string): Promise<CanaryStatus | undefined> {
  const { canaries } = await admin.get<{ canaries: CanaryStatus[] }>('canaries');
  return canaries.find((canary) => canary.mutation === mutation);
}

/** A person's own plan: planned, approved, executed; the canary's mutation and rollback key. */
export async function startCanary(
  admin: Admin,
  mutation: { type: string; agent: string; patch: JsonObject; why: string },
): Promise<{ readonly id: string; readonly key: string }> {
  const { plan } = await admin.post<{ plan: Plan }>('plan', { mutations: [mutation] });
  const before = await admin.post<Validation>('validate', { plan });
  if (before.status === 'needs_approval') {
    await admin.post(`plans/${plan.id}/approve`, { by: 'test', note: mutation.why });
  }
  const started = await executeFirst(admin, plan);
  if (started?.state !== 'canary' || started.rollback_key === null) {
    throw new Error(JSON.stringify(started));
  }
  return { id: started.id, key: started.rollback_key };
}

/** Executes an approved plan, unless the oracle's own cycle was quicker. */
async function executeFirst(
  admin: Admin,
  plan: Plan,
): Promise<Execution['mutations'][number] | undefined> {
  try {
    const after = await admin.post<Validation>('validate', { plan });
    if (!after.overall_passed) throw new Error(JSON.stringify(after.verdicts));
    return (await admin.post<Execution>('execute', { plan })).mutations[0];
  } catch (thrown) {
    if (!String(thrown).includes('"superseded"')) throw thrown;
    const { mutations } = await admin.get<Pick<Execution, 'mutations'>>('mutations');
    return mutations.find(({ id }) => id === plan.mutations[0]?.id);
  }
}

/** Waits until a mutation has left its canary, and says how. */
export async function outcomeOf(
  admin: Admin,
  mutation: string,
  deadline_ms: number,
): Promise<string> {
  return until(
    async () => {
      const { mutations } = await admin.get<{ mutations: { id: string; state: string }[] }>(
        'mutations',
      );
      const state = mutations.find(({ id }) => id === mutation)?.state;
      return state === 'applied' || state === 'withdrawn' ? state : null;
    },
    { what: `the end of the canary of ${mutation}`, deadline_ms, every_ms: 100 },
  );
}

export function rollBack(admin: Admin, rollback_key: string): Promise<Rollback> {
  return admin.post<Rollback>('rollback', { rollback_key });
}
