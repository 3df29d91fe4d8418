const PLACE = Symbol('place in an open list');

type Placed = { [PLACE]?: number };

/**
 * Things that begin and end with calls, such as the responses that are not over. No `Set`: one that
 * is added to and deleted from at every call is laid anew every hundred calls, and V8 lets each old
 * table point to the next, what was in it included. Once the first has grown old, young collections
 * keep half of all calls alive, and a third of a call's CPU goes into copying the dead
 * (docs/decisions/0013). A thing is in one list only.
 */
export class OpenList<Item extends object> {
  readonly #all: Item[] = [];

  get count(): number {
    return this.#all.length;
  }

  add(item: Item): void {
    (item as Placed)[PLACE] = this.#all.push(item) - 1;
  }

  /** Forgets one; one that is not there any more is passed over. */
  remove(item: Item): void {
    const place = (item as Placed)[PLACE];
    if (place === undefined || this.#all[place] !== item) return;
    const last = this.#all.pop() as Item;
    if (last === item) return;
    this.#all[place] = last;
    (last as Placed)[PLACE] = place;
  }

  forEach(see: (item: Item) => void): void {
    for (const item of this.#all) see(item);
  }

  /** Those there now, whatever becomes of them meanwhile. */
  all(): Item[] {
    return [...this.#all];
  }
}
