import type { LookupAddress, LookupOptions } from 'node:dns';
import { LRUCache } from 'lru-cache';

/** Resolves a name as `dns.lookup` does with `all: true`. */
export type Resolve = (
  hostname: string,
  options: LookupOptions & { readonly all: true },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** How long a name server may take before the last answer is used instead. */
const SLOW_MS = 500;
/** How long an answer may stand in for one that does not come. */
const GRACE_MS = 10 * 60_000;
const NAMES_MAX = 256;
/** What a name server that is away comes to. That there is no such name is an answer. */
const NO_ANSWER: ReadonlySet<string | undefined> = new Set([
  'EAI_AGAIN',
  'EAI_FAIL',
  'ESERVFAIL',
  'EREFUSED',
  'ETIMEOUT',
  'ECONNREFUSED',
]);

/**
 * Look-ups of names that a sick name server cannot hold up. All who want the same name at the same
 * time ask once: a question without an answer holds one thread of the pool that the journal's
 * syncs need as well, not one for each call. Where no answer comes, the last one is used for ten
 * minutes more; whoever dials checks it like any other.
 */
export function createLookups(resolve: Resolve, slow_ms = SLOW_MS): Resolve {
  const waiting = new Map<string, Set<Done>>();
  const known = new LRUCache<string, LookupAddress[]>({ max: NAMES_MAX, ttl: GRACE_MS });

  const ask = (key: string, asked: Parameters<Resolve>, all: Set<Done>): void => {
    waiting.set(key, all);
    resolve(asked[0], asked[1], (error, addresses) => {
      waiting.delete(key);
      if (!error) known.set(key, addresses);
      const last = error && NO_ANSWER.has(error.code) ? known.get(key) : undefined;
      for (const done of all) {
        if (last) done(null, last);
        else done(error, addresses);
      }
    });
  };

  return (hostname, options, done) => {
    const key = `${hostname} ${options.family ?? 0} ${options.hints ?? 0}`;
    const others = waiting.get(key);
    const all = others ?? new Set<Done>();
    const last = known.get(key);
    all.add(last === undefined ? done : unlessSlow(done, last, all, slow_ms));
    if (!others) ask(key, [hostname, options, done], all);
  };
}

type Done = Parameters<Resolve>[2];

/** Hears the answer, or after a while `last` instead, and then nothing more. */
function unlessSlow(done: Done, last: LookupAddress[], all: Set<Done>, slow_ms: number): Done {
  const waiter: Done = (error, addresses) => {
    clearTimeout(timer);
    done(error, addresses);
  };
  const timer = setTimeout(() => {
    all.delete(waiter);
    done(null, last);
  }, slow_ms);
  return waiter;
}
