import { describe, expect, test } from 'vitest';
import type { LeafHost } from '../../../src/core/definition.ts';
import { createMemory, createOnce } from '../../../src/core/findings/memory.ts';
import { sceneOf } from '../../../src/core/findings/scene.ts';
import type { Observation, Series } from '../../../src/core/observation.ts';
import { createHost } from '../../../src/sim/host.ts';
import { HOUR, hourly, NOW_MS, observed } from '../../oracle/observation.ts';

const SERIES = hourly('latency_p50_ms', (hour) => 800 + 20 * (hour % 24));
/** As a store reads it again: equal, and not the same object. */
const again = ({ values, counts, ...series }: Series, newest?: number): Series => ({
  ...series,
  values: newest === undefined ? [...values] : [...values.slice(0, -1), newest],
  counts: [...counts],
});
const look = (series: Series, until_ms = NOW_MS): Observation => {
  const window = { from_ms: until_ms - 24 * HOUR, to_ms: until_ms };
  return observed([], [], { series: [series], window });
};

function madeOf(series: Series, until_ms: number, host: LeafHost) {
  const make = () => ({ series, z: [...series.values] });
  return sceneOf(look(series, until_ms), host).bySteps(series, make);
}

test('createOnce makes a thing once an object and name', () => {
  const once = createOnce();
  const [one, other] = [{}, {}];
  let made = 0;
  const make = (): number => {
    made += 1;
    return made;
  };
  expect([once(one, 'a', make), once(one, 'a', make)]).toEqual([1, 1]);
  expect([once(one, 'b', make), once(other, 'a', make)]).toEqual([2, 3]);
  expect(once(one, 'none', () => undefined)).toBeUndefined();
});

describe('a host', () => {
  test('gives the detectors of one look one scene, and another look another', () => {
    const host = createHost(() => 0);
    const seen = look(SERIES);
    expect(sceneOf(seen, host)).toBe(sceneOf(seen, host));
    expect(sceneOf(look(SERIES), host)).not.toBe(sceneOf(seen, host));
    expect(sceneOf(seen)).not.toBe(sceneOf(seen));
  });

  test('keeps what is made of a series while the steps that are over are the same', () => {
    const host = createHost(() => 0);
    const half_ms = NOW_MS - HOUR / 2;
    const [first, next] = [again(SERIES), again(SERIES, 5000)];
    const one = madeOf(first, half_ms, host);
    const other = madeOf(next, half_ms, host);
    expect(other?.z).toBe(one?.z);
    expect(other?.series).toBe(next);
  });

  test('makes it anew where an older step, the window or the reach has changed', () => {
    const late = again(SERIES);
    const changed: Series = { ...late, values: late.values.map((one, at) => (at === 9 ? 1 : one)) };
    const recounted: Series = { ...late, counts: late.counts.map((one, at) => one + (at ? 0 : 1)) };
    for (const [series, until_ms] of [
      [changed, NOW_MS],
      [recounted, NOW_MS],
      [late, NOW_MS - HOUR],
    ] as const) {
      const host = createHost(() => 0);
      const one = madeOf(SERIES, NOW_MS, host);
      const other = madeOf(series, until_ms, host);
      expect(other?.z).not.toBe(one?.z);
      expect(other?.z).toEqual(series.values);
    }
  });
});

test('createMemory makes of several things together what no other set of them has', () => {
  const memory = createMemory();
  const [one, other, third] = [{}, {}, {}];
  let made = 0;
  const make = (): number => {
    made += 1;
    return made;
  };
  expect([
    memory.together([one, other], 'a', make),
    memory.together([one, other], 'a', make),
  ]).toEqual([1, 1]);
  expect([memory.together([one, third], 'a', make), memory.together([one], 'a', make)]).toEqual([
    2, 3,
  ]);
  expect(memory.together([one, other], 'b', make)).toBe(4);
});

test('createMemory forgets what two looks have not asked for', () => {
  const memory = createMemory();
  const span = { length: SERIES.values.length, from: 72 };
  const made = (): object => memory.keptOf(SERIES, 'a', span, () => ({}));
  memory.sceneOf(look(SERIES), () => ({}));
  const first = made();
  memory.sceneOf(look(SERIES), () => ({}));
  expect(made()).toBe(first);
  memory.sceneOf(look(SERIES), () => ({}));
  memory.sceneOf(look(SERIES), () => ({}));
  expect(made()).not.toBe(first);
});
