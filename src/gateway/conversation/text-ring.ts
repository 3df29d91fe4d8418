/**
 * Short texts by slot, outside the heap: 100,000 strings that live for minutes would be copied and
 * marked by every collection, which costs more than all else that is done with them. A text that
 * does not fit, or is not Latin-1, is kept as it is.
 */
export interface TextRing {
  set(slot: number, text: string): void;
  /** What was set last; the empty text where nothing was. */
  get(slot: number): string;
  is(slot: number, text: string): boolean;
}

export function createTextRing(slots: number, bytes: number): TextRing {
  const row = bytes + 1;
  const all = Buffer.alloc(slots * row);
  const odd = new Map<number, string>();

  /** Whether it fits; `row` − 1 bytes behind their number. */
  const write = (slot: number, text: string): boolean => {
    const at = slot * row;
    if (text.length > bytes) return false;
    for (let index = 0; index < text.length; index += 1) {
      const unit = text.charCodeAt(index);
      if (unit > 0xff) return false;
      all[at + 1 + index] = unit;
    }
    all[at] = text.length;
    return true;
  };
  const get = (slot: number): string => {
    const at = slot * row;
    const length = all[at] as number;
    if (length === ODD) return odd.get(slot) ?? '';
    return all.toString('latin1', at + 1, at + 1 + length);
  };

  return {
    set(slot, text) {
      if (all[slot * row] === ODD) odd.delete(slot);
      if (write(slot, text)) return;
      odd.set(slot, text);
      all[slot * row] = ODD;
    },
    get,
    is: (slot, text) => get(slot) === text,
  };
}

/** Instead of a length: the text is not here. */
const ODD = 0xff;
