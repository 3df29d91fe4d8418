import type { ServerResponse } from 'node:http';

const PLACE = Symbol('place among the open responses');

type Placed = ServerResponse & { [PLACE]?: number };

/**
 * The responses that are not over. No `Set`: one that is added to and deleted from at every call is
 * laid anew every hundred calls, and V8 lets each old table point to the next, what was in it
 * included. Once the first has grown old, young collections keep half of all calls alive, and a
 * third of a call's CPU goes into copying the dead (docs/decisions/0013).
 */
export class OpenResponses {
  readonly #all: Placed[] = [];

  get count(): number {
    return this.#all.length;
  }

  add(response: ServerResponse): void {
    (response as Placed)[PLACE] = this.#all.push(response) - 1;
  }

  /** Forgets one; one that is not there any more is passed over. */
  remove(response: ServerResponse): void {
    const place = (response as Placed)[PLACE];
    if (place === undefined || this.#all[place] !== response) return;
    const last = this.#all.pop() as Placed;
    if (last === response) return;
    this.#all[place] = last;
    last[PLACE] = place;
  }

  forEach(see: (response: ServerResponse) => void): void {
    for (const response of this.#all) see(response);
  }
}
