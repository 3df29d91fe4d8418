/** Fewer writers than this know nothing of what is a name and what a topic. */
const UNITS_MIN = 2;

/**
 * A word of the text that exactly one unit wrote, in capitals where no sentence begins: a name,
 * rather than what many ask about. Null where there is none.
 */
export function rareNameIn(text: string, byUnit: readonly (readonly string[])[]): string | null {
  if (byUnit.length < UNITS_MIN) return null;
  const named = new Map<string, number>();
  for (const texts of byUnit) {
    for (const name of new Set(texts.flatMap(namesIn))) named.set(name, (named.get(name) ?? 0) + 1);
  }
  const lower = new Set(
    byUnit.flat().flatMap((one) => one.match(/(?<![\p{L}\p{N}])\p{Ll}+/gu) ?? []),
  );
  return (
    wordsOf(text).find((word) => {
      if (named.get(word) !== 1) return false;
      // Who else writes it small writes a word.
      return !lower.has(word.toLowerCase()) && !KNOWN.has(word);
    }) ?? null
  );
}

/** Capitalised words that begin no sentence. */
function namesIn(text: string): readonly string[] {
  const found = text.matchAll(/(?<=[\p{Ll}\p{N},;][ \t]+)(\p{Lu}[\p{L}\p{N}’'-]{2,})/gu);
  return [...found].map(([, name]) => name as string);
}

function wordsOf(text: string): readonly string[] {
  return text.match(/\p{Lu}[\p{L}\p{N}’'-]{2,}/gu) ?? [];
}

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
