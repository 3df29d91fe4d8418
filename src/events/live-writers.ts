import type { WriterList } from '../core/state.ts';

/** Which of the journal's writers may still write, and which state all of them serve. */
export interface LiveWriters {
  /** A newer list of the gateway's processes. */
  follow(list: WriterList): void;
  isLive(writer: string): boolean;
  /** A gateway process serves this epoch now; returns the one that all of them have reached. */
  swapped(writer: string, epoch: number): number;
}

/** Below any epoch: somebody serves nothing yet. */
const NONE = -1;

export function createLiveWriters(own: string, first: WriterList): LiveWriters {
  let list = first;
  const served = new Map<string, number>();

  return {
    follow(next) {
      list = next;
      for (const writer of served.keys()) if (!next.names.includes(writer)) served.delete(writer);
    },
    isLive(writer) {
      if (writer === own || list.names.includes(writer)) return true;
      // It began after the list was made, so its file may be seen before the next list is heard: to
      // take it for dead would end the reading of it.
      return begunAt(writer) >= list.at_ms;
    },
    swapped(writer, epoch) {
      served.set(writer, epoch);
      return Math.min(...list.names.map((name) => served.get(name) ?? NONE));
    },
  };
}

/** A writer's name ends in the UUID of its boot, which begins with its time. */
function begunAt(writer: string): number {
  const time = /-([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/.exec(writer);
  return time ? Number.parseInt(`${time[1]}${time[2]}`, 16) : Number.NEGATIVE_INFINITY;
}
