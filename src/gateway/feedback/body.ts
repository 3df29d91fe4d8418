import {
  type Fields,
  fieldsOf,
  idOf,
  invalid,
  type NamedByClient,
  nameOf,
  type Spoken,
  signalsOf,
} from './signals.ts';

export interface BodyFeedback {
  readonly named: NamedByClient;
  readonly user: string | null;
  readonly spoken: readonly Spoken[];
  /** What the application measured itself, by name. */
  readonly reported: Readonly<Record<string, number>>;
}

const REPORTED_MAX = 64;

/** What the request's own headers name where the body does not. */
export interface HeaderNames {
  readonly session: string | null;
  readonly agent: string | null;
  readonly user: string | null;
}

/**
 * The body of `POST /feedback`. Unknown fields are let pass, as everywhere on the wire; a body that
 * says or names nothing is refused. Throws `bad_request` naming the field.
 */
export function parseFeedbackBody(body: unknown, headers: HeaderNames): BodyFeedback {
  const fields = fieldsOf(body, '');
  const spoken = signalsOf(fields);
  if (spoken.length === 0) {
    const other = 'helpful, correction, complaint, accepted or copied';
    throw invalid('rating', `is missing: send at least one of rating, ${other}`);
  }
  return { ...whoAndWhat(fields, headers), spoken, reported: {} };
}

/** The seed's body: `{agent_id, session_id, explicit: {…}, implicit: {…}}`. */
export function parseCollectBody(body: unknown, headers: HeaderNames): BodyFeedback {
  const fields = fieldsOf(body, '');
  const spoken = signalsOf(fieldsOf(fields.get('explicit'), 'explicit.'));
  const reported = reportedOf(fields.get('implicit'));
  if (spoken.length === 0 && Object.keys(reported).length === 0) {
    throw invalid('explicit', 'or implicit must hold at least one signal');
  }
  return { ...whoAndWhat(fields, headers), spoken, reported };
}

function whoAndWhat(
  fields: Fields,
  headers: HeaderNames,
): { readonly named: NamedByClient; readonly user: string | null } {
  const named: NamedByClient = {
    call: idOf(fields, 'call_id'),
    completion_id: idOf(fields, 'completion_id'),
    request_id: idOf(fields, 'request_id'),
    session: nameOf(fields, 'session_id') ?? headers.session,
    agent: idOf(fields, 'agent_id') ?? headers.agent,
  };
  if (Object.values(named).every((one) => one === null)) {
    const other = 'completion_id, request_id, session_id or agent_id';
    throw invalid('call_id', `is missing: send call_id, ${other}`);
  }
  const user = headers.user ?? nameOf(fields, 'user_id') ?? nameOf(fields, 'user');
  return { named, user };
}

function reportedOf(implicit: unknown): Record<string, number> {
  if (implicit === undefined) return {};
  const fields = fieldsOf(implicit, 'implicit.');
  const names = Object.keys(implicit as object);
  if (names.length > REPORTED_MAX)
    throw invalid('implicit', `has more than ${REPORTED_MAX} values`);
  const values: Record<string, number> = {};
  for (const name of names) {
    const value = fields.get(name);
    if (value === undefined) continue;
    if (!/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/.test(name)) {
      throw invalid('implicit', 'has a name that is not letters, digits, _ . - (64 at most)');
    }
    // Flags such as `resolved: true` are counted as numbers, so that their mean is a share.
    const number = typeof value === 'boolean' ? Number(value) : value;
    if (typeof number !== 'number') throw invalid(`implicit.${name}`, 'must be a number');
    values[name] = number;
  }
  return values;
}
