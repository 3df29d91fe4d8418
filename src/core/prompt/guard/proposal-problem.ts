import { type BorrowedKind, type Borrowing, openBorrowing, readWritten } from './borrowed-text.ts';
import { formProblem, type ProposalProblem } from './plain-advice.ts';
import { RareNames } from './rare-names.ts';

/** What was said in one call that the proposal may have been led by. */
export interface Foreign {
  readonly unit: string;
  /** Of users, of what they corrected, and of what models answered them. */
  readonly texts: readonly string[];
  /** Those of users alone. */
  readonly users: readonly string[];
  /** Ids that are known here: tenants, calls, hashes. */
  readonly ids: readonly string[];
}

/** The texts that a model proposes, and those that stand there already. */
export interface Proposed {
  readonly texts: readonly string[];
  readonly base: readonly string[];
}

/**
 * Why texts that a model proposes may not become instructions, or null. They must be plain advice
 * (`formProblem`) without a run of what was said in a call, in whatever disguise, be it spread over
 * several texts or over what stood there before. Pure but for `pause`, which lets others work
 * between two calls: what was said may be megabytes. What it cannot see is in docs/prompts.md.
 */
export async function proposalProblem(
  proposed: Proposed,
  foreign: readonly Foreign[],
  pause: () => Promise<void>,
): Promise<ProposalProblem | null> {
  const { texts, base } = proposed;
  for (const text of texts) {
    const problem = formProblem(text);
    if (problem) return problem;
  }
  const alone = (texts.length > 1 ? [...texts, texts.join(' ')] : texts).map(openBorrowing);
  const spread = base.length > 0 ? openSpread(base, texts) : () => null;
  const names = new RareNames();
  for (const { unit, texts: theirs, users, ids } of foreign) {
    if (ids.some((id) => id.length >= 3 && texts.some((text) => isWordIn(text, id))))
      return KNOWN_ID;
    for (const said of theirs) {
      const written = readWritten(said);
      const kind =
        alone.map((borrowing) => borrowing(written)).find((one) => one !== null) ?? spread(written);
      if (kind !== null) return { refusal: 'borrowed', reason: BORROWED[kind] };
    }
    for (const said of users) names.add(unit, said);
    await pause();
  }
  return texts.some((text) => names.isIn(text)) ? NAME : null;
}

/** What stood there and what is proposed, together. */
function openSpread(base: readonly string[], texts: readonly string[]): Borrowing {
  const before = openBorrowing(base.join(' '));
  const whole = openBorrowing([...base, ...texts].join(' '));
  // What operators wrote themselves may well be what users quote.
  return (written) => (before(written) === null ? whole(written) : null);
}

const KNOWN_ID: ProposalProblem = {
  refusal: 'identifier',
  reason: 'it names an id that is known here',
};
const NAME: ProposalProblem = {
  refusal: 'identifier',
  reason: 'it has a name that only one user wrote',
};

const BORROWED: Readonly<Record<BorrowedKind, string>> = {
  run: 'it repeats a run of letters of what was said in a call',
  words: 'it repeats a run of words of what was said in a call',
  sentence: 'it repeats a whole sentence of what was said in a call',
};

function isWordIn(text: string, id: string): boolean {
  let at = text.indexOf(id);
  while (at !== -1) {
    const around = [text[at - 1] ?? ' ', text[at + id.length] ?? ' '];
    if (around.every((one) => !/[\p{L}\p{N}]/u.test(one))) return true;
    at = text.indexOf(id, at + 1);
  }
  return false;
}
