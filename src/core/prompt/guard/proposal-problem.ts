import { type Borrowed, borrowedFrom } from './borrowed-text.ts';
import { rareNameIn } from './rare-names.ts';

/** Why a proposed text is refused; a closed set, so that reasons can be counted. */
export type ProposalRefusal =
  | 'too_long'
  | 'disguised'
  | 'opaque'
  | 'address'
  | 'identifier'
  | 'role_marker'
  | 'markup'
  | 'tool_instruction'
  | 'override'
  | 'borrowed';

export interface ProposalProblem {
  readonly refusal: ProposalRefusal;
  /** For people. Never holds a word of the text. */
  readonly reason: string;
}

/** What others wrote, as far as the proposal may have been led by it. */
export interface Foreign {
  /** Texts of users, of what they corrected and of what models answered them. */
  readonly texts: readonly string[];
  /** The texts of `texts` by who wrote them, to tell a name from a topic; one list a unit. */
  readonly by_unit: readonly (readonly string[])[];
  /** Ids that are known here: tenants, keys, hashes. */
  readonly ids: readonly string[];
}

export const TEXT_CHARS_MAX = 1200;

/**
 * Why a text that a model proposes may not become an instruction, or null. It must be plain advice:
 * prose without addresses, ids, roles, markup, tools or orders to forget other orders, and without a
 * run of what users wrote, in whatever disguise. Pure. What it cannot see is in docs/prompts.md.
 */
export function proposalProblem(text: string, foreign: Foreign): ProposalProblem | null {
  if (text.trim() === '' || text.length > TEXT_CHARS_MAX) {
    return {
      refusal: 'too_long',
      reason: `it is empty or has more than ${TEXT_CHARS_MAX} letters`,
    };
  }
  for (const [refusal, pattern, reason] of FORMS) {
    if (pattern.test(text)) return { refusal, reason };
  }
  if (text.normalize('NFKC') !== text.normalize('NFC')) return DISGUISED;
  const id = foreign.ids.find((one) => one.length >= 3 && isWordIn(text, one));
  if (id !== undefined)
    return { refusal: 'identifier', reason: 'it names an id that is known here' };
  const borrowed = borrowedFrom(text, foreign.texts);
  if (borrowed) return { refusal: 'borrowed', reason: BORROWED[borrowed.kind] };
  if (rareNameIn(text, foreign.by_unit)) {
    return { refusal: 'identifier', reason: 'it has a name that only one user wrote' };
  }
  return null;
}

const BORROWED: Readonly<Record<Borrowed['kind'], string>> = {
  run: 'it repeats a run of letters of what was said in a call',
  words: 'it repeats a run of words of what was said in a call',
  sentence: 'it repeats a whole sentence of what was said in a call',
};

const DISGUISED: ProposalProblem = {
  refusal: 'disguised',
  reason: 'it has invisible characters, or letters that look like others',
};

/** In order: the first that is found is told. */
const FORMS: readonly (readonly [ProposalRefusal, RegExp, string])[] = [
  ['disguised', /[^\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}\n]/u, DISGUISED.reason],
  // Two scripts in one word: one of them plays the other.
  [
    'disguised',
    /(?=[\p{L}]*\p{Script=Latin})(?=[\p{L}]*[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}])\p{L}{2,}/u,
    DISGUISED.reason,
  ],
  ['disguised', /\p{Mn}|\p{Me}|[ꜰʙɢʜʟɴʀɪᴀ-ᴢ]/u, DISGUISED.reason],
  // Letters spelt out: one by one, with blanks or signs between.
  ['disguised', /(?:(?<![\p{L}\p{N}])\p{L}[^\p{L}\p{N}]{1,3}){6,}/u, 'it spells words out'],
  [
    'role_marker',
    /<\|?\/?\s*(im_|system|user|assistant|human|endof|start|s>)/i,
    'it has a role’s mark',
  ],
  [
    'role_marker',
    /^\W{0,5}(system|user|assistant|developer|human|ai|tool)\W{0,3}:/im,
    'it has a role’s mark',
  ],
  [
    'role_marker',
    /\[\/?(INST|SYS|SYSTEM)\]|<<\/?SYS>>|#{2,}\s*(system|instruction|user|response)/i,
    'it has a role’s mark',
  ],
  [
    'address',
    /[a-z][a-z0-9+.-]{1,15}:\s?\/\/|\bwww\s?\.|\bmailto\s?:|\bdata:\w+\//i,
    'it has an address',
  ],
  ['address', /[\p{L}\p{N}._%+-]+\s?(@|\(at\)|\[at\]|＠)\s?[\p{L}\p{N}-]+/iu, 'it has an address'],
  [
    'address',
    /[\p{L}\p{N}-]{2,}\s?(\.|\(dot\)|\[dot\]|\sdot\s)\s?(com|net|org|io|ai|dev|app|info|biz|co|ru|cn|de|uk|eu|us|xyz|top|site|online|example|test|local|onion|zip)\b/iu,
    'it has an address',
  ],
  ['address', /\b\d{1,3}(\.\d{1,3}){3}\b|\b(?:[0-9a-f]{1,4}:){3,}/i, 'it has an address'],
  ['opaque', /[\p{L}\p{N}+/=_-]{31,}/u, 'it has a word of more than 30 letters'],
  [
    'opaque',
    /(?=[A-Za-z0-9+/=_-]*\d)(?=[A-Za-z0-9+/=_-]*[A-Za-z])[A-Za-z0-9+/=_-]{9,}|\b[A-Za-z]*[a-z][A-Z][a-z]*[A-Z][A-Za-z]{5,}|[A-Za-z0-9+/]{6,}={1,2}(?![=\w])/,
    'it has a word that may be a code',
  ],
  [
    'opaque',
    /(\b[0-9a-f]{2}[\s:,-]){5,}|([01]{8}[\s,]*){2,}|(\d{2,3}[\s,;]+){4,}\d|([.\-·−]{1,5}[\s/|]+){4,}/i,
    'it may be a code',
  ],
  ['opaque', /%[0-9a-f]{2}|&#?\w+;|\\[ux]/i, 'it has an escape'],
  [
    'identifier',
    /\d[\d\s().-]{5,}\d|\d{5,}|\b(call|fb|mut|plan|key|sk|pk|ghp|usr|user|cust|acct|id)[_-][A-Za-z0-9]{2,}/i,
    'it has a number or a name that may be somebody’s',
  ],
  ['markup', /[<>{}`\\|^~]|\$\(|\$\{|\[\[|\]\]|\]\(|"\s*:/, 'it has markup'],
  [
    'tool_instruction',
    /\b(tools?|functions?|plugins?|api|endpoints?|webhooks?|curl|wget|sudo|shell|terminal|bash|sql|eval|exec|commands?|scripts?|urls?|hyperlinks?|links?|http\w*|browse|downloads?|uploads?|emails?|forward\w*|exfiltrat\w*)\b/i,
    'it speaks of tools, addresses or commands',
  ],
  [
    'tool_instruction',
    /\b(passwords?|passphrases?|credentials?|api keys?|secrets?|tokens?|cookies?|jailbreak\w*|developer mode|sudo|root access)\b/i,
    'it speaks of secrets',
  ],
  [
    'override',
    /\b(ignore|disregard|forget|bypass|override|overrule|circumvent|drop|skip|discard|neglect|abandon|stop following)\b[^.!?\n]{0,60}\b(instructions?|rules?|prompts?|polic(y|ies)|guidelines?|guardrails?|restrictions?|safety|above|previous|prior|earlier|system|told|checks?|filters?|patch)\b/i,
    'it tells to forget other instructions',
  ],
  [
    'override',
    /\b(system|hidden|initial|secret|your own) (prompt|message|instructions?)\b|\byou are (now|no longer)\b|\bpretend\b|\bact as\b|\brole-?play\b|\bno (rules|restrictions|limits)\b|\b(from now on|henceforth)\b|\b(this|these|my) (user|words|message)\b|\bobey\b|\badministrators?\b|\bdisable\b/i,
    'it makes the model another',
  ],
];

function isWordIn(text: string, id: string): boolean {
  let at = text.indexOf(id);
  while (at !== -1) {
    const around = [text[at - 1] ?? ' ', text[at + id.length] ?? ' '];
    if (around.every((one) => !/[\p{L}\p{N}]/u.test(one))) return true;
    at = text.indexOf(id, at + 1);
  }
  return false;
}
