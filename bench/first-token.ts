import { median } from './gates.ts';

export interface FirstToken {
  /** k6 cannot see the first token, so this is not its number. */
  readonly tool: 'fetch';
  readonly p50_ms: number;
  readonly p95_ms: number;
}

/** Time to the first `data:` of a stream, one call after the other. */
export async function measureFirstToken(url: string, calls: number): Promise<FirstToken> {
  const taken_ms: number[] = [];
  for (let call = 0; call < calls; call += 1) taken_ms.push(await firstTokenMs(url));
  taken_ms.sort((left, right) => left - right);
  const p95_ms = taken_ms[Math.floor(taken_ms.length * 0.95)] ?? Number.NaN;
  return { tool: 'fetch', p50_ms: median(taken_ms), p95_ms };
}

async function firstTokenMs(url: string): Promise<number> {
  const begun_ms = performance.now();
  const answer = await fetch(`${url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-agent-id': 'default' },
    body: JSON.stringify({
      model: 'default',
      stream: true,
      messages: [{ role: 'user', content: 'Tell me of the fox.' }],
    }),
    signal: AbortSignal.timeout(10_000),
  });
  let first_ms: number | null = null;
  const decoder = new TextDecoder();
  for await (const part of answer.body ?? []) {
    if (first_ms !== null || !decoder.decode(part, { stream: true }).includes('data:')) continue;
    first_ms = performance.now() - begun_ms;
  }
  if (first_ms === null) throw new Error(`${url} answered ${answer.status} and no event`);
  return first_ms;
}
