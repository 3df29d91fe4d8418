import { type Beginning, openingOf } from './conversation.ts';
import { hashIdentity } from './identity.ts';

/** Whose conversation it is, where its user and its session have no name. */
export interface Talker {
  readonly tenant: string;
  readonly key: string;
  readonly agent: string;
  /** The client's address. */
  readonly peer: string;
}

/** The unit of a conversation that nobody has named: a keyed hash of who talks and how it began. */
export type ConversationUnits = (talker: Talker, beginning: Beginning) => string;

interface Known extends Talker, Beginning {
  readonly unit: string;
}

/**
 * Each turn of a conversation asks for the same hash, so the latest ones are kept: digests and
 * hashes, nothing of what was said. Each has one place, and whoever needs that place takes it.
 */
export function createConversationUnits(
  secret: Uint8Array,
  kept_max = KEPT_MAX,
): ConversationUnits {
  const all = Array.from<Known | null>({ length: kept_max }).fill(null);
  return (talker, beginning) => {
    const place = (beginning.high ^ beginning.low) >>> 0;
    const at = place % kept_max;
    const known = all[at];
    if (known && isSame(known, talker, beginning)) return known.unit;
    const unit = `c:${hashIdentity(secret, talker.tenant, nameOf(talker, beginning))}`;
    const { tenant, key, agent, peer } = talker;
    all[at] = { tenant, key, agent, peer, ...beginning, unit };
    return unit;
  };
}

const KEPT_MAX = 4096;

function isSame(known: Known, talker: Talker, { high, low, system }: Beginning): boolean {
  return (
    known.high === high &&
    known.low === low &&
    known.system === system &&
    known.tenant === talker.tenant &&
    known.key === talker.key &&
    known.agent === talker.agent &&
    known.peer === talker.peer
  );
}

function nameOf({ key, agent, peer }: Talker, beginning: Beginning): string {
  return joined([key, agent, peer, openingOf(beginning)]);
}

/** Texts as one, of which each can be told where it ends. */
function joined(parts: readonly string[]): string {
  let all = '';
  for (const part of parts) all += `${part.length}:${part}`;
  return all;
}
