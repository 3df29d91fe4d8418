import type { TurnEnd } from '../clock/turn-end.ts';
import { RequestHeads, requestBytes } from '../upstream/http1/request-head.ts';
import { ResponseReader } from '../upstream/http1/response-reader.ts';
import type { Sending, Sink, Upstream } from '../upstream/upstream.ts';
import { ANSWER } from './lines.ts';

const LIMITS = { head_bytes_max: 16 * 1024, body_bytes_max: 1024 * 1024 };

/** Answers each request with the same bytes, read as those of a real upstream; sends nothing. */
export function createRehearsalUpstream(turn: TurnEnd): Upstream {
  const heads = new RequestHeads();
  return {
    send(request, sink) {
      requestBytes(heads.of(request).head, request.body);
      turn.write(() => answer(sink));
      return NOTHING_TO_END;
    },
    close: () => Promise.resolve(),
  };
}

function answer(sink: Sink): void {
  sink.onSent();
  const reader = new ResponseReader(
    {
      onHead: (status, headers) => sink.onHeaders(status, headers),
      onBody: (bytes) => sink.onData(Buffer.from(bytes)),
      onOver: () => sink.onEnd(),
    },
    LIMITS,
  );
  reader.push(ANSWER);
}

const NOTHING_TO_END: Sending = { abort() {}, pause() {}, resume() {} };
