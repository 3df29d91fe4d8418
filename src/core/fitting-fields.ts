import type { Note } from './call.ts';
import type { Json, JsonObject } from './canonical.ts';

type Fields = Readonly<Record<string, Json>>;

/**
 * What is set in a request, without fields that its model is known to refuse: a default of the
 * policy must not make a call fail. What the client sent itself is its own affair.
 */
export function fittingFields(
  patch: Fields,
  body: JsonObject,
  refuses: (field: string) => boolean,
): { readonly patch: Fields; readonly notes: readonly Note[] } {
  let notes: readonly Note[] = NONE;
  let fitting = patch;
  for (const field in patch) {
    if (Object.hasOwn(body, field) || !refuses(field)) continue;
    const { [field]: _refused, ...others } = fitting;
    fitting = others;
    notes = [...notes, { subject: field, reason: 'the policy’s default is refused by this model' }];
  }
  return { patch: fitting, notes };
}

const NONE: readonly Note[] = [];
