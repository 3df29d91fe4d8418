import type { UpstreamHeaders } from '../upstream/upstream.ts';

/**
 * What a provider's headers say that is left of its limits, read at every answer. OpenAI and those
 * who follow it write `x-ratelimit-remaining-requests`, Anthropic
 * `anthropic-ratelimit-requests-remaining`.
 */
export class Headroom {
  requests = Number.NaN;
  tokens = Number.NaN;
  #share = Number.NaN;
  #at_ms = Number.NEGATIVE_INFINITY;

  read(headers: UpstreamHeaders, now_ms: number): void {
    const requests = headers['x-ratelimit-remaining-requests'];
    const tokens = headers['x-ratelimit-remaining-tokens'];
    if (requests !== undefined || tokens !== undefined) {
      this.#take(requests, headers['x-ratelimit-limit-requests'], now_ms);
      this.#also(tokens, headers['x-ratelimit-limit-tokens']);
      return;
    }
    const theirs = headers['anthropic-ratelimit-requests-remaining'];
    if (theirs === undefined) return;
    this.#take(theirs, headers['anthropic-ratelimit-requests-limit'], now_ms);
    this.#also(
      headers['anthropic-ratelimit-tokens-remaining'],
      headers['anthropic-ratelimit-tokens-limit'],
    );
    // Where both directions are limited apart, the tightest holds.
    for (const kind of ['input', 'output'] as const) {
      const left = headers[`anthropic-ratelimit-${kind}-tokens-remaining`];
      this.#also(left, headers[`anthropic-ratelimit-${kind}-tokens-limit`]);
    }
  }

  /** The least share of any limit that is left, 0..1; null where no answer said so of late. */
  share(now_ms: number): number | null {
    return this.fresh(now_ms) && !Number.isNaN(this.#share) ? this.#share : null;
  }

  /** Limits are by the minute: what was left a minute ago says nothing of now. */
  fresh(now_ms: number): boolean {
    return now_ms - this.#at_ms <= FRESH_MS;
  }

  #take(left: Header, limit: Header, now_ms: number): void {
    this.#at_ms = now_ms;
    this.requests = numberOf(left);
    this.tokens = Number.NaN;
    this.#share = shareOf(this.requests, limit);
  }

  #also(left: Header, limit: Header): void {
    const tokens = numberOf(left);
    if (Number.isNaN(tokens)) return;
    this.tokens = Number.isNaN(this.tokens) ? tokens : Math.min(this.tokens, tokens);
    const share = shareOf(tokens, limit);
    if (Number.isNaN(share)) return;
    this.#share = Number.isNaN(this.#share) ? share : Math.min(this.#share, share);
  }
}

type Header = UpstreamHeaders[string];

const FRESH_MS = 60_000;

/** NaN where it is none, or negative. */
function numberOf(value: Header): number {
  if (typeof value !== 'string' || value === '') return Number.NaN;
  const number = Number(value);
  return number >= 0 && Number.isFinite(number) ? number : Number.NaN;
}

function shareOf(left: number, limit: Header): number {
  const all = numberOf(limit);
  return all > 0 ? Math.min(1, left / all) : Number.NaN;
}
