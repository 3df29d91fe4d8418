import { createRandom, type Random } from '../../../src/core/series/random.ts';
import { between, dayShape, heavy, noise, oneOf, poisson, signOf, whole } from './draws.ts';
import { bounded, type Draft, type Make, over, type StreamWorld, spoil, two } from './oddities.ts';
import { group, memory } from './stream-hosts.ts';

/** A server at rest: small noise, short jobs now and then that belong to it; bounded percent. */
function cpu(random: Random, spoiled: boolean): Draft {
  const level = between(random, 2, 60);
  const size = between(random, 0.01, 0.08) * level;
  const jobs = between(random, 0.002, 0.02);
  const values = noise(random, 4032, between(random, 0, 0.6)).map((one) => {
    const job = random.next() < jobs ? size * between(random, 4, 12) : 0;
    return two(bounded(level + size * one + job, 0, 100));
  });
  if (!spoiled) return { values, odd: [] };
  const odd = spoil(random, values, (list, from) =>
    oneOf(random, [
      () =>
        over(list, from, whole(random, 1, 4), () => two(bounded(level * 2 + 40 * size, 0, 100))),
      () => {
        const by = signOf(random) * between(random, 6, 15) * size;
        return over(list, from, 200, (one) => two(bounded(one + by, 0, 100)));
      },
      () => over(list, from, whole(random, 3, 60), () => two(level * 0.05 * random.next())),
    ])(),
  );
  return { values, odd };
}

/** Bytes: a quiet floor under bursts of heavy tail; odd are days of many bursts or one far out. */
function bytes(random: Random): Draft {
  const busy = between(random, 0.02, 0.15);
  const floor = between(random, 50, 5000);
  const one = (often: number, size: number): number =>
    Math.round(
      floor * (1 + 0.1 * Math.abs(random.normal())) +
        (random.next() < often ? floor * size * Math.exp(0.8 * random.normal()) : 0),
    );
  const values = Array.from({ length: oneOf(random, [4032, 4730]) }, () => one(busy, 4));
  const odd = spoil(random, values, (list, from) =>
    random.next() < 0.5
      ? over(list, from, whole(random, 60, 200), () => one(Math.min(0.9, busy * 6), 5))
      : over(list, from, whole(random, 1, 5), () => one(1, 60)),
  );
  return { values, odd };
}

/** A job every few hours; odd is when it does not come, comes too large, or does not end. */
function jobs(random: Random): Draft {
  const period = oneOf(random, [36, 48, 72, 144]);
  const lasts = whole(random, 2, 6);
  const high = between(random, 5, 30);
  const values = Array.from({ length: 4032 }, (_, row) =>
    two((row % period < lasts ? high * between(random, 0.85, 1.15) : 1) + 0.2 * random.normal()),
  );
  const odd = spoil(random, values, (list, from) => {
    const start = from - (from % period);
    return oneOf(random, [
      () => over(list, start, 4 * period, () => two(1 + 0.2 * random.normal())),
      () => over(list, start, lasts, (one) => two(one * 2.5)),
      () => over(list, start, period * 0.7, () => two(high + 0.2 * random.normal())),
    ])();
  });
  return { values, odd };
}

/** Rides by the half hour: day and week; odd are holidays, a storm, a night that is like a day. */
function rides(random: Random): Draft {
  const shape = dayShape(random);
  const weekend = dayShape(random);
  const level = between(random, 3000, 15_000);
  const drift = noise(random, 215, 0.8);
  const at = (row: number): number => {
    const day = Math.floor(row / 48);
    const mix = day % 7 >= 5 ? (p: number) => 0.4 * shape(p) + 0.6 * weekend(p) : shape;
    return level * (0.25 + mix((row % 48) / 48)) * (1 + 0.03 * (drift[day] as number));
  };
  const values = noise(random, 10_320, 0.7).map((one, row) =>
    Math.round(at(row) * (1 + 0.04 * one)),
  );
  const odd = spoil(
    random,
    values,
    (list, from) => {
      const start = from - (from % 48);
      return oneOf(random, [
        () => over(list, start, 48, (one) => Math.round(one * between(random, 0.5, 0.6))),
        () => over(list, start + 10, 36, (one) => Math.round(one * 0.1)),
        () => over(list, from, 8, (one) => Math.round(one + 0.8 * level)),
        () => over(list, start, 48, (_, row) => Math.round(at(start + 24 + row))),
      ])();
    },
    5,
  );
  return { values, odd };
}

/** Mentions of a word in five minutes: a day's wave, bursts that decay; odd are outbreaks. */
function mentions(random: Random): Draft {
  const rate = between(random, 2, 60);
  const wave = between(random, 0.2, 0.8);
  let burst = 0;
  const values = Array.from({ length: 15_850 }, (_, row) => {
    burst = 0.8 * burst + (random.next() < 0.004 ? rate * 3 * random.next() ** 2 : 0);
    const day = 1 + wave * Math.sin((2 * Math.PI * row) / 288);
    return poisson(random, rate * day + burst);
  });
  const odd = spoil(
    random,
    values,
    (list, from) => {
      const size = rate * between(random, 8, 30);
      return over(list, from, whole(random, 20, 120), (one, row) =>
        poisson(random, one + size * Math.exp(-row / 20)),
      );
    },
    4,
  );
  return { values, odd };
}

/** Speed on a road: rows at odd minutes, dips at rush hours; odd is a jam that stays. */
function road(random: Random): Draft {
  const rows = whole(random, 1100, 2500);
  let now = 0;
  const minutes = Array.from({ length: rows }, () => {
    now += oneOf(random, [5, 5, 5, 6, 8, 10, 15, random.next() < 0.05 ? 240 : 10]);
    return now;
  });
  const free = between(random, 55, 85);
  const values = noise(random, rows, 0.5).map((one, row) => {
    const hour = ((minutes[row] as number) / 60) % 24;
    const rush = Math.abs(hour - 8) < 1.2 || Math.abs(hour - 17.5) < 1.5 ? 14 : 0;
    return Math.round(free - rush * (0.6 + 0.6 * random.next()) + 3 * one);
  });
  const odd = spoil(random, values, (list, from) =>
    over(list, from, whole(random, 10, 60), (one) => Math.max(3, Math.round(one * 0.45))),
  );
  return { values, odd, minutes };
}

/** An office's temperature by the hour: it drifts with the weather; odd is a sensor gone astray. */
function weather(random: Random): Draft {
  const drift = noise(random, 7267, 0.997);
  const values = noise(random, 7267, 0.8).map((one, row) =>
    two(70 + 4 * (drift[row] as number) + 2 * Math.sin((2 * Math.PI * row) / 24) + 0.7 * one),
  );
  const odd = spoil(random, values, (list, from) =>
    oneOf(random, [
      () => over(list, from, whole(random, 24, 96), (one) => two(one + signOf(random) * 6)),
      () => over(list, from, 40, (one, row) => two(one - 12 * Math.exp(-row / 15))),
      () => over(list, from, whole(random, 48, 120), () => list[from] as number),
    ])(),
  );
  return { values, odd };
}

/** A machine's temperature: slow wander, long memory; odd are its failures, some slow. */
function machine(random: Random): Draft {
  const slow = noise(random, 22_695, 0.9985);
  const values = noise(random, 22_695, 0.95).map((one, row) =>
    two(85 + 6 * (slow[row] as number) + 2 * one),
  );
  const odd = spoil(
    random,
    values,
    (list, from) =>
      oneOf(random, [
        () =>
          over(list, from, 200, (one, row) => two(one - 70 * Math.exp(-((row - 100) ** 2) / 2500))),
        () => over(list, from, 30, (one) => two(one * 0.3)),
        () => over(list, from, 500, (one, row) => two(one - 0.09 * row)),
      ])(),
    3,
  );
  return { values, odd };
}

/** What a thousand views cost by the hour: spikes belong to it; odd is what dwarfs them. */
function price(random: Random): Draft {
  const level = between(random, 0.1, 3);
  const shape = dayShape(random);
  const values = Array.from({ length: whole(random, 1500, 1650) }, (_, row) => {
    const spike = random.next() < 0.03 ? level * Math.abs(heavy(random)) * 0.6 : 0;
    const day = 0.8 + 0.3 * shape((row % 24) / 24);
    return level * day * Math.exp(0.15 * random.normal()) + spike;
  });
  const odd = spoil(random, values, (list, from) =>
    random.next() < 0.6
      ? over(list, from, whole(random, 1, 3), (one) => one + level * between(random, 6, 20))
      : over(list, from, whole(random, 24, 72), (one) => one * 2.2),
  );
  return { values, odd };
}

/** Made by hand: nights low, days high, hardly any noise. Odd are days unlike the others. */
function square(random: Random, spoiled: boolean): Draft {
  const size = between(random, 0.5, 3);
  const values = Array.from({ length: 4032 }, (_, row) => {
    const day = row % 288 >= 108 && row % 288 < 216;
    return (day ? 80 : 20) + size * (2 * random.next() - 1) * (day ? 3 : 1);
  });
  if (!spoiled) return { values, odd: [] };
  const start = 288 * whole(random, 9, 12) + 108;
  const odd = oneOf(random, [
    () => over(values, start, 108, () => 20 + size * (2 * random.next() - 1)),
    () => over(values, start, 108, (one) => one + 60),
    () => over(values, start, 108, (one) => one - 35),
    () => over(values, start - 108, 108, (one) => one + 25),
    () => over(values, start, 108, () => 88),
  ])();
  return { values, odd: [odd] };
}

/** Milliseconds until an answer: heavy on the right; odd is a slower stretch or some far out. */
function latency(random: Random): Draft {
  const level = between(random, 20, 200);
  const tail = between(random, 0.15, 0.5);
  const values = noise(random, oneOf(random, [1882, 4032, 5315]), between(random, 0, 0.4)).map(
    (one) => two(level * Math.exp(tail * one)),
  );
  const odd = spoil(random, values, (list, from) =>
    oneOf(random, [
      () => over(list, from, whole(random, 30, 150), (one) => two(one * (1 + 4 * tail))),
      () => over(list, from, whole(random, 1, 3), (one) => two(one * Math.exp(7 * tail))),
      () =>
        over(list, from, whole(random, 80, 200), () =>
          two(level * Math.exp(4 * tail * random.normal())),
        ),
    ])(),
  );
  return { values, odd };
}

const MAKERS: Readonly<Record<string, Make>> = {
  cpu: (random) => cpu(random, true),
  'cpu-quiet': (random) => cpu(random, false),
  bytes,
  jobs,
  rides,
  mentions,
  road,
  weather,
  machine,
  price,
  square: (random) => square(random, true),
  'square-quiet': (random) => square(random, false),
  latency,
  group,
  memory,
  'noise-quiet': (random) => ({ values: noise(random, 4032), odd: [] }),
  'heavy-quiet': (random) => ({
    values: Array.from({ length: 4032 }, () => heavy(random)),
    odd: [],
  }),
  'walk-quiet': (random) => ({
    values: noise(random, 6000, 0.998).map((one) => 50 * one),
    odd: [],
  }),
};

/** Minutes a row; 5 where it is not said. */
const STEPS: Readonly<Record<string, number>> = { rides: 30, weather: 60, price: 60, road: 10 };

export const STREAM_KINDS = Object.keys(MAKERS);

export function streamWorld(kind: string, seed: number): StreamWorld {
  const make = MAKERS[kind] as Make;
  return {
    kind,
    step_minutes: STEPS[kind] ?? 5,
    ...make(createRandom(seed * 6133 + STREAM_KINDS.indexOf(kind))),
  };
}
