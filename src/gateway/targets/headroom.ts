import type { UpstreamHeaders } from '../upstream/upstream.ts';

/** One limit of a provider: the header that says what is left of it, and that of the whole. */
interface Limit {
  readonly left: string;
  readonly whole: string;
}

/** How a provider names its limits; an answer is in its words where it has any of `marks`. */
interface Naming {
  readonly marks: readonly string[];
  readonly requests: readonly Limit[];
  readonly tokens: readonly Limit[];
}

/**
 * Those of the providers' documentation, and of answers that others have recorded (Mistral). A
 * month's budget is left out: at its end nothing can be done about it from minute to minute.
 */
const NAMINGS: readonly Naming[] = [
  // OpenAI, and those who follow it: Azure, Groq, xAI, Together.
  naming(['x-ratelimit-remaining-requests', 'x-ratelimit-remaining-tokens'], {
    requests: [common('requests')],
    tokens: [common('tokens')],
  }),
  // Where both directions are limited apart, the tightest holds.
  naming(['anthropic-ratelimit-requests-remaining'], {
    requests: [anthropic('requests')],
    tokens: [anthropic('tokens'), anthropic('input-tokens'), anthropic('output-tokens')],
  }),
  naming(['x-ratelimit-remaining-req-minute'], {
    requests: [common('req-minute')],
    tokens: [common('tokens-minute')],
  }),
  // Cerebras: by the minute, the hour or the day, as the plan has it.
  naming(
    [
      'x-ratelimit-remaining-tokens-minute',
      'x-ratelimit-remaining-requests-day',
      'x-ratelimit-remaining-requests-minute',
    ],
    {
      requests: [common('requests-minute'), common('requests-hour'), common('requests-day')],
      tokens: [common('tokens-minute'), common('tokens-hour'), common('tokens-day')],
    },
  ),
];

function naming(marks: readonly string[], limits: Omit<Naming, 'marks'>): Naming {
  return { marks, ...limits };
}

function common(what: string): Limit {
  return { left: `x-ratelimit-remaining-${what}`, whole: `x-ratelimit-limit-${what}` };
}

function anthropic(what: string): Limit {
  const name = `anthropic-ratelimit-${what}`;
  return { left: `${name}-remaining`, whole: `${name}-limit` };
}

/** What a provider's headers say that is left of its limits, read at every answer. */
export class Headroom {
  requests = Number.NaN;
  tokens = Number.NaN;
  #share = Number.NaN;
  #at_ms = Number.NEGATIVE_INFINITY;
  /** The provider's words so far: a target's provider seldom changes them. */
  #naming = NAMINGS[0] as Naming;
  /** Answers in a row that were not in them. */
  #silent = 0;

  read(headers: UpstreamHeaders, now_ms: number): void {
    const found = this.#namingOf(headers);
    if (found === undefined) return;
    this.#at_ms = now_ms;
    this.#share = Number.NaN;
    this.requests = this.#least(headers, found.requests);
    this.tokens = this.#least(headers, found.tokens);
  }

  /** The least share of any limit that is left, 0..1; null where no answer said so of late. */
  share(now_ms: number): number | null {
    return this.fresh(now_ms) && !Number.isNaN(this.#share) ? this.#share : null;
  }

  /** Limits are by the minute: what was left a minute ago says nothing of now. */
  fresh(now_ms: number): boolean {
    return now_ms - this.#at_ms <= FRESH_MS;
  }

  /** Who says nothing of limits, as most own engines, is asked in all words only now and then. */
  #namingOf(headers: UpstreamHeaders): Naming | undefined {
    if (isIn(headers, this.#naming)) return this.#naming;
    this.#silent += 1;
    if (this.#silent % LOOK_EVERY !== 1) return undefined;
    const found = NAMINGS.find((one) => isIn(headers, one));
    if (found === undefined) return undefined;
    this.#naming = found;
    this.#silent = 0;
    return found;
  }

  /** The least that is left of these; NaN where none of them is told. */
  #least(headers: UpstreamHeaders, limits: readonly Limit[]): number {
    let least = Number.NaN;
    for (const limit of limits) {
      const left = numberOf(headers[limit.left]);
      if (Number.isNaN(left)) continue;
      least = lesser(least, left);
      this.#share = lesser(this.#share, shareOf(left, headers[limit.whole]));
    }
    return least;
  }
}

function isIn(headers: UpstreamHeaders, { marks }: Naming): boolean {
  for (const mark of marks) if (headers[mark] !== undefined) return true;
  return false;
}

type Header = UpstreamHeaders[string];

const FRESH_MS = 60_000;
const LOOK_EVERY = 16;

/** The lesser of two, where NaN is no number at all. */
function lesser(one: number, other: number): number {
  if (Number.isNaN(one)) return other;
  return Number.isNaN(other) ? one : Math.min(one, other);
}

/** NaN where it is none, or negative. */
function numberOf(value: Header): number {
  if (typeof value !== 'string' || value === '') return Number.NaN;
  const number = Number(value);
  return number >= 0 && Number.isFinite(number) ? number : Number.NaN;
}

function shareOf(left: number, whole: Header): number {
  const all = numberOf(whole);
  return all > 0 ? Math.min(1, left / all) : Number.NaN;
}
