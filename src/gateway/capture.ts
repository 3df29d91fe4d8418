import type { Call } from '../core/call.ts';
import type { Clock } from '../core/clock.ts';
import type { Metrics } from '../core/metrics.ts';
import type { CapturedBodies } from '../core/prompt/proposal-policy.ts';
import { type PromptSample, sampleBytes, sampleTurns } from '../core/prompt/sample.ts';
import { redact } from '../core/redact.ts';
import type { SaidText } from '../core/signals/said.ts';
import { unitFraction } from '../core/unit.ts';
import type { InboundRequest } from './front/inbound.ts';
import { headerOf } from './parse.ts';

/**
 * Takes samples of calls for the worker, where the policy asks for them. Nothing of it is
 * journalled or logged: a sample is a message to the worker, and lost where nobody hears it.
 */
export interface Capture {
  /** Characters of the answer to keep while it comes; 0 where the call is not kept. */
  open(call: Call, bodies: CapturedBodies, request: InboundRequest): number;
  /** The answer has left. Never throws. */
  take(ended: EndedCall, bodies: CapturedBodies): void;
}

export interface EndedCall {
  readonly call: Call;
  readonly said: SaidText;
  readonly served: string | null;
}

export interface CaptureDeps {
  readonly clock: Pick<Clock, 'monotonic_ms'>;
  readonly metrics: Metrics;
  send(sample: PromptSample): void;
}

/** What is beyond it is lost: a flood must not keep the gateway busy with texts. */
const SAMPLES_A_SECOND = 20;

export function createCapture(deps: CaptureDeps): Capture {
  const { clock, metrics } = deps;
  let second = -1;
  let taken = 0;
  const hasRoom = (): boolean => {
    const now = Math.floor(clock.monotonic_ms() / 1000);
    if (now !== second) {
      second = now;
      taken = 0;
    }
    taken += 1;
    return taken <= SAMPLES_A_SECOND;
  };
  return {
    open(call, { share, bytes_max }, request) {
      if (call.raw.length > 2 * bytes_max || unitFraction('capture', call.id) >= share) return 0;
      // What its sender wants stored nowhere is not stored here either.
      if (headerOf(request, 'x-hive-store') === 'no' || call.body.store === false) return 0;
      return bytes_max;
    },
    take({ call, said, served }, { mode, bytes_max }) {
      const turns = served === null ? null : sampleTurns(call);
      const answer = said.whole();
      if (turns === null || served === null || !answer || said.tools > 0) return;
      if (sampleBytes({ turns, answer }) > bytes_max) return;
      if (!hasRoom()) {
        metrics.add('hive_samples_total', ['dropped']);
        return;
      }
      const { id, at_ms, tenant, agent, unit, user, session } = call;
      const clean = mode === 'redacted' ? redact : (text: string): string => text;
      deps.send({
        call: id,
        at_ms,
        tenant,
        agent,
        unit,
        user,
        session,
        served,
        turns: turns.map(({ role, text }) => ({ role, text: clean(text) })),
        answer: clean(answer),
      });
      metrics.add('hive_samples_total', ['taken']);
    },
  };
}
