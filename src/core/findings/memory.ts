import type { Observation, Series } from '../observation.ts';

/** Gives what `make` makes of an object under a name, made once for as long as the object is. */
export type Once = <Value>(of: object, name: string, make: () => Value) => Value;

export function createOnce(): Once {
  const known = new WeakMap<object, Map<string, unknown>>();
  return <Value>(of: object, name: string, make: () => Value): Value => {
    let own = known.get(of);
    if (!own) {
      own = new Map();
      known.set(of, own);
    }
    if (!own.has(name)) own.set(name, make());
    return own.get(name) as Value;
  };
}

/** The steps of a series that are over, as far as something is made of them. */
export interface Span {
  /** How many steps there are, and the index of the window's first. */
  readonly length: number;
  readonly from: number;
}

/**
 * What looks share: the detectors of one look its scene, and one look with the next what was made
 * of series whose steps are the same. It holds no more than that of the last two looks.
 */
export interface Memory {
  /** Of what depends on its object alone, however often it is looked at. */
  readonly once: Once;
  /** Of what depends on these objects together; never none. */
  together<Value>(of: readonly object[], name: string, make: () => Value): Value;
  /** The same for all who ask for the observation; another one begins a new look. */
  sceneOf<Scene extends object>(observation: Observation, make: () => Scene): Scene;
  /** What was made in the look before, if all steps in the span are as they were then. */
  keptOf<Value>(series: Series, name: string, span: Span, make: () => Value): Value;
}

interface Kept extends Span {
  readonly step_ms: number;
  readonly values: readonly (number | null)[];
  readonly counts: readonly number[];
  readonly value: unknown;
}

export function createMemory(): Memory {
  const scenes = new WeakMap<Observation, object>();
  let [now, before] = [new Map<string, Kept>(), new Map<string, Kept>()];
  const once = createOnce();
  let told = 0;
  const idOf = (one: object): number =>
    once(one, 'id', () => {
      told += 1;
      return told;
    });
  return {
    once,
    together: (of, name, make) => once(of[0] ?? {}, `${name} of ${of.map(idOf).join()}`, make),
    sceneOf<Scene extends object>(observation: Observation, make: () => Scene): Scene {
      const known = scenes.get(observation);
      if (known) return known as Scene;
      // What the look before did not ask for is of a series that is gone.
      [now, before] = [new Map(), now];
      const scene = make();
      scenes.set(observation, scene);
      return scene;
    },
    keptOf<Value>(series: Series, name: string, span: Span, make: () => Value): Value {
      const known = now.get(name) ?? before.get(name);
      const { step_ms } = series;
      if (known && isSame(known, series, span)) {
        now.set(name, known);
        return known.value as Value;
      }
      // Copied: whoever keeps the series may write the newest steps into the same arrays.
      const values = series.values.slice(0, span.length);
      const counts = series.counts.slice(0, span.length);
      const value = make();
      now.set(name, { ...span, step_ms, values, counts, value });
      return value;
    },
  };
}

function isSame(known: Kept, { step_ms, values, counts }: Series, { length, from }: Span): boolean {
  if (known.length !== length || known.from !== from || known.step_ms !== step_ms) return false;
  for (let index = 0; index < length; index += 1) {
    if (known.values[index] !== values[index] || known.counts[index] !== counts[index])
      return false;
  }
  return true;
}
