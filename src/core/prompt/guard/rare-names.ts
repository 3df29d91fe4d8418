/** Fewer writers than this know nothing of what is a name and what a topic. */
const UNITS_MIN = 2;

/**
 * Tells names from topics: a word that exactly one unit wrote, in capitals where no sentence
 * begins, and nobody in small letters, is rather a name than what many ask about.
 */
export class RareNames {
  readonly #writers = new Map<string, Set<string>>();
  readonly #small = new Set<string>();
  readonly #units = new Set<string>();

  add(unit: string, text: string): void {
    this.#units.add(unit);
    for (const [, name = ''] of text.matchAll(NAME)) {
      const writers = this.#writers.get(name) ?? new Set();
      this.#writers.set(name, writers.add(unit));
    }
    for (const [word] of text.matchAll(SMALL)) this.#small.add(word);
  }

  isIn(text: string): boolean {
    if (this.#units.size < UNITS_MIN) return false;
    return (text.match(CAPITALISED) ?? []).some((word) => {
      if (this.#writers.get(word)?.size !== 1 || KNOWN.has(word)) return false;
      return !this.#small.has(word.toLowerCase());
    });
  }
}

const CAPITALISED = /\p{Lu}[\p{L}\p{N}’'-]{2,}/gu;
const NAME = /(?<=[\p{Ll}\p{N},;][ \t]{1,4})(\p{Lu}[\p{L}\p{N}’'-]{2,})/gu;
const SMALL = /(?<![\p{L}\p{N}])\p{Ll}+/gu;

/** Capitalised, and nobody's. */
const KNOWN: ReadonlySet<string> = new Set(
  (
    'English German French Italian Spanish Portuguese Dutch Polish Russian Ukrainian Turkish ' +
    'Arabic Hebrew Hindi Chinese Japanese Korean Swedish Danish Norwegian Finnish Greek Czech ' +
    'Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May ' +
    'June July August September October November December JSON Markdown Europe European ' +
    'American British Euro Euros Celsius Fahrenheit'
  ).split(' '),
);
