import type { Target } from '../../config/snapshot.ts';
import type { UpstreamFailure } from '../../core/provider.ts';
import { BAD_CODING, type codingOf } from './content-coding.ts';
import { REFUSED_ADDRESS } from './egress.ts';
import { failed } from './failures.ts';
import type { UpstreamHeaders } from './upstream.ts';

export function isEventStream(headers: UpstreamHeaders): boolean {
  const type = headers['content-type'];
  // What nearly all whole answers are.
  if (type === undefined || type === 'application/json') return false;
  return String(type).toLowerCase().startsWith('text/event-stream');
}

/** An answer that nothing of ours can read, known by its headers. */
export function strangeAnswer(
  stream: boolean,
  status: number,
  headers: UpstreamHeaders,
  coding: ReturnType<typeof codingOf>,
): UpstreamFailure | null {
  if (coding === 'unknown') {
    return failed('upstream_error', 'The upstream packed its answer in a way that is not known.');
  }
  if (status === 200 && !stream && isEventStream(headers)) {
    return failed('upstream_error', 'The upstream streamed an answer that was asked for whole.');
  }
  return null;
}

/** What a provider's code throws at an answer is its call's alone; where, the log says. */
export function unreadable(thrown: unknown): UpstreamFailure {
  const fault = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  return { ...failed('upstream_error', 'The upstream’s answer cannot be read.'), fault };
}

/**
 * What broke, in words of ours: a system error's text names addresses that are no client's
 * business.
 */
export function connectionFailure(
  error: Error,
  answering: boolean,
  target: Target,
): UpstreamFailure {
  const code = (error as { code?: unknown }).code;
  if (code === REFUSED_ADDRESS) {
    const why =
      target.network === 'private'
        ? 'is at an address that nobody is asked at'
        : 'is at a private address, and its entry in gateway.yaml lacks network: private';
    return failed('upstream_unreachable', `Provider ${target.provider_name} ${why}.`);
  }
  if (code === BAD_CODING) {
    return failed('upstream_error', 'The upstream’s answer cannot be unpacked.');
  }
  if (code === 'RESPONSE_TOO_LARGE') {
    return failed('upstream_error', 'The upstream’s answer is too large.');
  }
  if (answering) return failed('upstream_cut', 'The upstream ended its answer too early.');
  const why = typeof code === 'string' && /^[A-Z0-9_]{1,40}$/.test(code) ? ` (${code})` : '';
  return failed(
    'upstream_unreachable',
    `Provider ${target.provider_name} could not be reached${why}.`,
  );
}
