import type { Random } from '../../../src/core/series/random.ts';
import { between, signOf, whole } from './draws.ts';
import { bounded, type Draft, over, spoil, two } from './oddities.ts';

/** Machines of a group: steps between whole numbers; odd is a fall to next to nothing. */
export function group(random: Random): Draft {
  let level = whole(random, 20, 40);
  const values = Array.from({ length: 4621 }, () => {
    if (random.next() < 0.004) level = bounded(level + signOf(random) * whole(random, 1, 3), 8, 60);
    return level + (random.next() < 0.02 ? signOf(random) : 0);
  });
  const odd = spoil(random, values, (list, from) =>
    over(list, from, whole(random, 40, 300), (_, row) => (row < 3 ? 4 : 2)),
  );
  return { values, odd };
}

/** Memory that fills and is freed; odd is a leak that is not, or one that fills twice as fast. */
export function memory(random: Random): Draft {
  const period = whole(random, 60, 200);
  let held = 20;
  const values = Array.from({ length: whole(random, 3000, 6000) }, () => {
    held += (60 / period) * between(random, 0.8, 1.2);
    if (held > 80 + random.normal()) held = 20 + random.normal();
    return two(held + 0.4 * random.normal());
  });
  const odd = spoil(random, values, (list, from) =>
    random.next() < 0.5
      ? over(list, from, period * 2, () => two(92 + 0.4 * random.normal()))
      : over(list, from, whole(random, 20, 80), (one) => two(one * 0.3)),
  );
  return { values, odd };
}
