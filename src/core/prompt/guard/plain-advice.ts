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

export const TEXT_CHARS_MAX = 1200;

/** What a text is refused for whatever was said in any call, or null: it is plain prose. Pure. */
export function formProblem(text: string): ProposalProblem | null {
  if (text.trim() === '' || text.length > TEXT_CHARS_MAX) {
    return { refusal: 'too_long', reason: `empty, or longer than ${TEXT_CHARS_MAX} characters` };
  }
  for (const { refusal, reason, patterns } of FORMS) {
    if (patterns.some((pattern) => pattern.test(text))) return { refusal, reason };
  }
  const isDisguised = text.normalize('NFKC') !== text.normalize('NFC') || hasStrangeLetter(text);
  return isDisguised ? { refusal: 'disguised', reason: LOOKALIKE } : null;
}

/** Scripts that people write advice in; letters of another may stand for those of these. */
const SCRIPTS: readonly string[] = (
  'Latn Cyrl Grek Hani Hira Kana Hang Arab Hebr Deva Beng Taml Telu Thai Geor Armn Ethi Khmr ' +
  'Laoo Mymr Gujr Guru Knda Mlym Sinh'
).split(' ');

function hasStrangeLetter(text: string): boolean {
  const known = SCRIPTS.map((script) => `\\p{scx=${script}}`).join('');
  return new RegExp(`[^\\P{L}${known}]`, 'u').test(text);
}

const LOOKALIKE = 'it has invisible characters, or letters that look like others';
const DOMAINS =
  'com|net|org|io|ai|dev|app|info|biz|co|ru|cn|de|uk|eu|us|xyz|top|site|online|example|test|' +
  'local|onion|zip';

interface Form extends ProposalProblem {
  readonly patterns: readonly RegExp[];
}

/** In order: the first that is found is told. Each is linear in the text, which is short. */
const FORMS: readonly Form[] = [
  {
    refusal: 'disguised',
    reason: LOOKALIKE,
    patterns: [
      /[^\p{L}\p{M}\p{N}\p{P}\p{Sc}\p{Sm}\p{Sk}\p{Zs}\n]/u,
      // Two scripts in one word: one of them plays the other.
      /\p{Script=Latin}[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}]/u,
      /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}]\p{Script=Latin}/u,
      /\p{Script=Latin}\p{Mn}|\p{Me}|[ꜰʙɢʜʟɴʀɪᴀ-ᴢ]/u,
      // Letters spelt out: one by one, with blanks or signs between.
      /(?:(?<![\p{L}\p{N}])\p{Script=Latin}[^\p{L}\p{N}]{1,3}){6,}/u,
    ],
  },
  {
    refusal: 'role_marker',
    reason: 'it has the mark of a role',
    patterns: [
      /<\|?\/?\s*(im_|system|user|assistant|human|endof|start|s>)/i,
      /^\W{0,5}(system|user|assistant|developer|human|ai|tool)\W{0,3}:/im,
      /\[\/?(INST|SYS|SYSTEM)\]|<<\/?SYS>>/i,
      /#{2,}\s*(system|instruction|user|response)/i,
    ],
  },
  {
    refusal: 'address',
    reason: 'it has an address',
    patterns: [
      /[a-z][a-z0-9+.-]{1,15}:\s?\/\/|\bwww\s?\.|\bmailto\s?:|\bdata:\w+\//i,
      /[\p{L}\p{N}._%+-]\s?(@|\(at\)|\[at\])\s?[\p{L}\p{N}-]/iu,
      new RegExp(`[\\p{L}\\p{N}-]\\s?(\\.|\\(dot\\)|\\[dot\\]|\\sdot\\s)\\s?(${DOMAINS})\\b`, 'iu'),
      /\b\d{1,3}(\.\d{1,3}){3}\b|\b(?:[0-9a-f]{1,4}:){3,}/i,
    ],
  },
  {
    refusal: 'opaque',
    reason: 'it has what may be a code',
    patterns: [
      /[\p{Script=Latin}\p{N}+/=_-]{31,}/u,
      /(?=[A-Za-z+/=_-]*\d)(?=[0-9+/=_-]*[A-Za-z])[A-Za-z0-9+/=_-]{9,}/,
      /\b[A-Za-z]*[a-z][A-Z][a-z]*[A-Z][A-Za-z]{5,}|[A-Za-z0-9+/]{6,}={1,2}(?![=\w])/,
      /(\b[0-9a-f]{2}[\s:,-]){5,}|([01]{8}[\s,]*){2,}/i,
      /(\b\d{1,3}[\s,;.-]+){5,}\d|([.\-·−]{1,5}[\s/|]+){4,}/,
      /%[0-9a-f]{2}|&#?\w+;|\\[ux]/i,
    ],
  },
  {
    refusal: 'identifier',
    reason: 'it has a number or an id that may be somebody’s',
    patterns: [
      /\d[\d\s().-]{5,}\d|\d{5,}/,
      /\b(call|fb|mut|plan|key|sk|pk|ghp|usr|user|cust|acct|id)[_-][A-Za-z0-9]{2,}/i,
    ],
  },
  {
    refusal: 'markup',
    reason: 'it has markup',
    patterns: [/[<>{}`\\|^~]|\$\(|\$\{|\[\[|\]\]|\]\(|"\s*:/],
  },
  {
    refusal: 'tool_instruction',
    reason: 'it speaks of tools, commands, links or secrets',
    patterns: [
      /\b(tools?|functions?|plugins?|api|endpoints?|webhooks?|curl|wget|sudo|shell|terminal)\b/i,
      /\b(bash|sql|eval|exec|commands?|scripts?|urls?|hyperlinks?|links?|http\w*|browse)\b/i,
      /\b(downloads?|uploads?|emails?|forward\w*|exfiltrat\w*|root access|developer mode)\b/i,
      /\b(passwords?|passphrases?|credentials?|secrets?|tokens?|cookies?|jailbreak\w*)\b/i,
    ],
  },
  {
    refusal: 'override',
    reason: 'it tells to forget other instructions, or makes the model another',
    patterns: [
      /\b(ignore|disregard|forget|bypass|override)\b[^.!?\n]{0,60}\b(rule|instruct|prompt|polic)/i,
      /\b(ignore|disregard|forget|bypass|override)\b[^.!?\n]{0,60}\b(guide|guard|restrict|safety)/i,
      /\b(ignore|disregard|forget|bypass)\b[^.!?\n]{0,60}\b(above|previous|prior|earlier|told)/i,
      /\b(overrule|circumvent|abandon|neglect)\b[^.!?\n]{0,60}\b(rule|instruct|prompt|polic)/i,
      /\b(drop|skip|discard|stop following)\b[^.!?\n]{0,60}\b(rule|instruct|prompt|polic)/i,
      /\b(drop|skip|discard|stop following)\b[^.!?\n]{0,60}\b(safety|check|filter|patch|system)/i,
      /\b(system|hidden|initial|secret|your own) (prompt|message|instructions?)\b/i,
      /\byou are (now|no longer)\b|\bpretend\b|\bact as\b|\brole-?play\b|\bobey\b|\bdisable\b/i,
      /\bno (rules|restrictions|limits)\b|\b(from now on|henceforth)\b|\badministrators?\b/i,
      /\b(this|these|my) (user|words|message)\b/i,
    ],
  },
];
