import { NOTHING } from './decoded.ts';
import { isObject, parseJson, textIn } from './json-values.ts';
import type {
  AnswerFacts,
  DecodedAnswer,
  DecodedChunk,
  StreamDecoder,
  UpstreamAnswer,
} from './provider.ts';
import { failureOf } from './upstream-failure.ts';

/**
 * The base can still answer: an unknown adapter is a 404 of the model, a broken one a 400 or 500.
 */
export function isAdapterFailure(answer: UpstreamAnswer): boolean {
  if (answer.adapter === null) return false;
  if (![400, 404, 500].includes(answer.status)) return false;
  const body = parseJson(answer.body);
  if (!isObject(body)) return false;
  // Older versions of vLLM have no object around it.
  const error = isObject(body.error) ? body.error : body;
  if (answer.status === 500) return error.code === 'adapter_failed';
  if (answer.status === 404) return error.param === 'model' || error.type === 'NotFoundError';
  return /could not be loaded/.test(textIn(error.message));
}

export function adapterUnavailable(answer: UpstreamAnswer): DecodedAnswer {
  const failure = failureOf(answer);
  return {
    ok: false,
    error: {
      ...failure,
      class: 'unavailable',
      code: 'adapter_unavailable',
      status: 502,
      retryable: true,
      counts: false,
    },
  };
}

/** Facts with the adapter that the answer's own `model` proves, if it does. */
export function proven<Facts extends Partial<AnswerFacts>>(
  facts: Facts,
  adapterOf: (model: string) => string | null,
): Facts {
  const adapter = typeof facts.model === 'string' ? adapterOf(facts.model) : null;
  return adapter === null ? facts : { ...facts, adapter };
}

/** A stream whose chunks tell the adapter that they prove. */
export function provenStream(
  stream: StreamDecoder,
  adapterOf: (model: string) => string | null,
): StreamDecoder {
  const told = {
    decode(event: Uint8Array) {
      const decoded = stream.decode(event);
      const facts = proven(decoded.facts, adapterOf);
      return facts === decoded.facts ? decoded : { ...decoded, facts };
    },
  };
  return stream.finish ? { ...told, finish: () => endOf(stream) } : told;
}

function endOf(stream: StreamDecoder): DecodedChunk {
  return stream.finish?.() ?? NOTHING;
}
