import { createRandom, type Random } from '../../../src/core/series/random.ts';
import type { ChangeWorld } from './change-worlds.ts';
import { between, heavy, noise, oneOf, poisson, signOf, whole } from './draws.ts';

/**
 * Records of the kind that people annotate (economies, prices, counts, processes), made by other
 * means than change-worlds.ts and looked at only when the search was done; seeds from 101 on judge
 * the one repair that followed. Keep it so.
 */
type Make = (random: Random) => Omit<ChangeWorld, 'kind'>;

/** Output by the quarter: growth with a recession that falls and then goes on lower. */
function output(random: Random) {
  const rows = whole(random, 60, 250);
  const crisis = random.next() < 0.7 ? whole(random, rows / 4, (3 * rows) / 4) : -1;
  const growth = between(random, 0.004, 0.01);
  let level = 4;
  const values = Array.from({ length: rows }, (_, row) => {
    level += growth + 0.002 * random.normal();
    if (row === crisis) level -= between(random, 0.1, 0.2);
    return Math.exp(level);
  });
  return { values, changes: crisis > 0 ? [crisis] : [] };
}

/** A price that wanders in small steps, and by nature has no change that anybody could name. */
function price(random: Random) {
  let level = 3;
  const values = Array.from({ length: whole(random, 150, 700) }, () => {
    level += 0.015 * heavy(random);
    return Math.exp(level);
  });
  return { values, changes: [] };
}

/** Passengers by the month: a season that grows with the level; sometimes a collapse. */
function travel(random: Random) {
  const rows = 12 * whole(random, 12, 40);
  const stop = random.next() < 0.5 ? whole(random, rows / 3, (2 * rows) / 3) : -1;
  const growth = between(random, 0.3, 1.6);
  const values = Array.from({ length: rows }, (_, row) => {
    const season = 1 + 0.18 * Math.sin((2 * Math.PI * row) / 12) + 0.06 * Math.cos(Math.PI * row);
    const fall = stop > 0 && row >= stop ? 0.6 : 1;
    return 1000 * Math.exp((growth * row) / rows) * season * fall * (1 + 0.03 * random.normal());
  });
  return { values, changes: stop > 0 ? [stop] : [] };
}

/** A measured process: level with noise, one step, with single rows far off. */
function process(random: Random) {
  const rows = whole(random, 100, 400);
  const step = random.next() < 0.75 ? whole(random, 30, rows - 30) : -1;
  const size = signOf(random) * between(random, 1.5, 4);
  const values = noise(random, rows).map((one, row) => {
    const off = random.next() < 0.015 ? signOf(random) * between(random, 6, 12) : 0;
    return one + off + (step > 0 && row >= step ? size : 0);
  });
  return { values, changes: step > 0 ? [step] : [] };
}

/** A well being logged: many plateaus of uneven length, dips of a row or two between. */
function plateaus(random: Random) {
  const changes: number[] = [];
  const values: number[] = [];
  const count = whole(random, 3, 9);
  let level = 100;
  for (let part = 0; part < count; part += 1) {
    if (part > 0) changes.push(values.length);
    level += part > 0 ? signOf(random) * between(random, 6, 20) : 0;
    for (let row = whole(random, 25, 140); row > 0; row -= 1) {
      values.push(level + 1.5 * random.normal() - (random.next() < 0.01 ? 25 : 0));
    }
  }
  return { values, changes };
}

/** Runs of effort and rest, with a ramp of a few rows between. */
function intervals(random: Random) {
  const changes: number[] = [];
  const values: number[] = [];
  let level = 5;
  for (let part = whole(random, 4, 9); part > 0; part -= 1) {
    const next = level < 7 ? between(random, 9, 12) : between(random, 3, 5);
    if (values.length > 0) changes.push(values.length);
    const from = level;
    level = next;
    const length = whole(random, 25, 60);
    for (let row = 0; row < length; row += 1) {
      const mix = Math.min(1, (row + 1) / 3);
      values.push(from + (level - from) * mix + 0.35 * random.normal());
    }
  }
  return { values, changes };
}

/** Accidents by the month: counts with a season; a law halves them, or none does. */
function accidents(random: Random) {
  const rows = 12 * whole(random, 9, 20);
  const law = random.next() < 0.6 ? whole(random, rows / 3, rows - 24) : -1;
  const rate = between(random, 30, 160);
  const values = Array.from({ length: rows }, (_, row) => {
    const season = 1 + 0.25 * Math.cos((2 * Math.PI * row) / 12);
    return poisson(random, rate * season * (law > 0 && row >= law ? 0.6 : 1));
  });
  return { values, changes: law > 0 ? [law] : [] };
}

/** A population: smooth growth that bends once or not at all, hardly any noise. */
function population(random: Random) {
  const rows = whole(random, 40, 120);
  const bend = random.next() < 0.6 ? whole(random, rows / 3, (2 * rows) / 3) : -1;
  const first = between(random, 0.6, 1.2);
  let level = 10;
  const values = Array.from({ length: rows }, (_, row) => {
    level += (bend > 0 && row >= bend ? first * oneOf(random, [-0.5]) : first) / 10;
    return level + 0.02 * random.normal();
  });
  return { values, changes: bend > 0 ? [bend] : [] };
}

/** Calm and wild markets: only the spread changes, once or twice. */
function turmoil(random: Random) {
  const changes = [whole(random, 80, 150), whole(random, 220, 300)].slice(0, whole(random, 0, 2));
  const values = Array.from({ length: whole(random, 370, 500) }, (_, row) => {
    const part = changes.filter((place) => place <= row).length;
    return random.normal() * (part === 1 ? 4.5 : 1);
  });
  return { values, changes };
}

/** Few values: fifteen to forty rows with one break or none. */
function few(random: Random) {
  const rows = whole(random, 15, 40);
  const place = random.next() < 0.6 ? whole(random, 6, rows - 6) : -1;
  const values = noise(random, rows).map(
    (one, row) => 50 + one + (place > 0 && row >= place ? 6 : 0),
  );
  return { values, changes: place > 0 ? [place] : [] };
}

/** Noise that remembers, on a slope: nothing changes. */
function sluggish(random: Random) {
  const phi = between(random, 0.6, 0.9);
  const slope = between(random, -4, 4);
  const rows = whole(random, 100, 500);
  return {
    values: noise(random, rows, phi).map((one, row) => one + (slope * row) / rows),
    changes: [],
  };
}

const MAKERS: Readonly<Record<string, Make>> = {
  output,
  price,
  travel,
  process,
  plateaus,
  intervals,
  accidents,
  population,
  turmoil,
  few,
  sluggish,
};

export const UNSEEN_CHANGE_KINDS = Object.keys(MAKERS);

export function unseenChange(kind: string, seed: number): ChangeWorld {
  const make = MAKERS[kind] as Make;
  return { kind, ...make(createRandom(seed * 4649 + 17 * UNSEEN_CHANGE_KINDS.indexOf(kind))) };
}
