import type { Tokens } from './call.ts';

/** Of several answers that were paid for. */
export function sumOfTokens(left: Tokens, right: Tokens): Tokens {
  const written = (left.written ?? 0) + (right.written ?? 0);
  const written_1h = (left.written_1h ?? 0) + (right.written_1h ?? 0);
  return {
    in: left.in + right.in,
    cached: left.cached + right.cached,
    ...(written > 0 ? { written } : {}),
    ...(written_1h > 0 ? { written_1h } : {}),
    out: left.out + right.out,
    estimated: left.estimated || right.estimated,
  };
}
