/**
 * Takes out of a text what names or gives access to somebody: a mark stands in its place. By rules,
 * so names and addresses in prose stay; docs/prompts.md says so.
 */
export function redact(text: string): string {
  return RULES.reduce((rest, { pattern, mark, keeps }) => {
    return rest.replaceAll(pattern, (found) => (keeps?.(found) ? found : mark));
  }, text);
}

interface Rule {
  readonly pattern: RegExp;
  readonly mark: string;
  /** Whether what was found is none after all. */
  readonly keeps?: (found: string) => boolean;
}

const RULES: readonly Rule[] = [
  {
    pattern: /-----BEGIN [A-Z ]{3,40}-----[\s\S]{0,8000}?-----END [A-Z ]{3,40}-----/g,
    mark: '[secret]',
  },
  { pattern: /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{4,}/g, mark: '[secret]' },
  { pattern: /\b(?:bearer|basic)\s+[\w.~+/-]{12,}={0,2}/gi, mark: '[secret]' },
  {
    pattern: /\b(?:sk|pk|rk|ghp|gho|ghs|xox[abp]|glpat|hf|AKIA|ASIA|AIza)[-_]?[\w-]{12,}/g,
    mark: '[secret]',
  },
  {
    pattern: /(?<=\b(?:password|passwort|passwd|pwd|secret|token|api[ _-]?key)\s?[:=]\s?)\S{4,}/gi,
    mark: '[secret]',
  },
  // To look ahead from each hyphen for a letter and a digit would cost the square of the text.
  { pattern: /\b\w[\w-]{22,}\w\b/g, mark: '[secret]', keeps: isPlainWord },
  {
    pattern: /[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,5}/gu,
    mark: '[email]',
  },
  { pattern: /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b/g, mark: '[iban]' },
  { pattern: /(?<![\d-])\d(?:[ -]?\d){12,18}(?![\d-])/g, mark: '[card]', keeps: isNoCard },
  { pattern: /(?<!\d)\d{3}-\d{2}-\d{4}(?!\d)/g, mark: '[number]' },
  { pattern: /(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])/g, mark: '[address]' },
  {
    pattern: /(?<![\p{L}\d])\+?\(?\d{2,4}\)?(?:[ ./-]?\d{2,4}){2,5}(?!\d)/gu,
    mark: '[phone]',
    keeps: isShort,
  },
  { pattern: /(?<!\d)\d{7,}(?!\d)/g, mark: '[number]' },
];

/** Long names of files and branches have letters, and numbers have digits: keys have both. */
function isPlainWord(found: string): boolean {
  return !/\d/.test(found) || !/[A-Za-z]/.test(found);
}

/** Luhn's sum, which every card's number has. */
function isNoCard(found: string): boolean {
  const digits = found.replaceAll(/\D/g, '');
  let sum = 0;
  for (const [index, digit] of digits.split('').reverse().entries()) {
    const doubled = Number(digit) * (index % 2 === 0 ? 1 : 2);
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 !== 0;
}

/** A date or a price has fewer digits than a telephone. */
function isShort(found: string): boolean {
  return found.replaceAll(/\D/g, '').length < 9;
}
