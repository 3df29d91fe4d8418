import { type BareItem, DisplayString, parseDictionary } from 'structured-headers';
import { GatewayError, messageOf } from '../../core/errors.ts';
import { type Fields, idOf, invalid, type Spoken, signalsOf } from './signals.ts';

export interface HeaderFeedback {
  /** The call that is rated, or null for the session's newest finished one. */
  readonly call: string | null;
  readonly spoken: readonly Spoken[];
}

export const FEEDBACK_HEADER_BYTES_MAX = 4096;
const KEYS: readonly string[] = [
  'rating',
  'helpful',
  'call',
  'complaint',
  'correction',
  'comment',
  'accepted',
  'copied',
];

/**
 * Reads `x-feedback`, an RFC 8941 dictionary: `rating=4.5, helpful=?1, call="call_…"`. Unlike a
 * body it is closed: nobody reads a header's leftovers, so an unknown key is a typo. Throws
 * `bad_request` with a reason that fits into a response header; the caller never fails a call on
 * it.
 */
export function parseFeedbackHeader(value: string): HeaderFeedback {
  if (value.length > FEEDBACK_HEADER_BYTES_MAX) {
    throw new GatewayError('bad_request', `longer than ${FEEDBACK_HEADER_BYTES_MAX} bytes`);
  }
  const fields = dictionaryFields(value);
  const spoken = signalsOf(fields);
  if (spoken.length === 0) {
    throw new GatewayError(
      'bad_request',
      'no rating, helpful, complaint, correction, accepted or copied',
    );
  }
  return { call: idOf(fields, 'call'), spoken };
}

function dictionaryFields(value: string): Fields {
  const members = parsed(value);
  const plain = new Map<string, unknown>();
  for (const [key, [item]] of members) {
    if (!KEYS.includes(key)) {
      throw new GatewayError('bad_request', `unknown key ${key.slice(0, 40)}`, { param: key });
    }
    if (Array.isArray(item)) throw invalid(key, 'must be one value, not a list');
    plain.set(key, bare(item as BareItem));
  }
  return { path: '', get: (name) => plain.get(name) };
}

function parsed(value: string): ReturnType<typeof parseDictionary> {
  try {
    return parseDictionary(value);
  } catch (error) {
    throw new GatewayError('bad_request', `not an RFC 8941 dictionary: ${messageOf(error)}`);
  }
}

/** RFC 9651's display strings carry what is not ASCII; tokens, dates and bytes fit no field. */
function bare(item: BareItem): unknown {
  return item instanceof DisplayString ? item.toString() : item;
}
