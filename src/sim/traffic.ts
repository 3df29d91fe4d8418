import { strengthOf } from './models.ts';
import { createRandom, pickName, type Random } from './random.ts';
import type { Population, Scenario, World } from './scenario.ts';

/** A call that a user will make whatever the policy: who, when, about what, with what luck. */
export interface Visit {
  /** Milliseconds since the world's beginning. */
  readonly t_ms: number;
  readonly users: string;
  readonly user: string;
  readonly session: string;
  /** From 0 within its session. */
  readonly turn: number;
  readonly category: string;
  /** What this user asks more or less of an answer than others, in chance of being satisfied. */
  readonly mood: number;
  /** Real milliseconds until this user hangs up. */
  readonly patience_ms: number;
  /** Everything else about the call is drawn from here. */
  readonly luck: Random;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** The world begins on a Monday, 2026-01-05T00:00Z. */
export const WORLD_BEGIN_MS = 1_767_571_200_000;
export const PATIENCE_SPREAD = 0.5;
/** Between two turns of a session, on average. */
const TURN_MS = 60_000;

/** Users in the order in which they call. Each has a stream of its own. */
export interface Traffic {
  /** The visits before `t_ms` that were not yet handed out, in order of time. */
  before(t_ms: number): readonly Visit[];
}

export function createTraffic(world: World, seed: number): Traffic {
  const people = Object.entries(world.scenario.users).flatMap(([users, population]) =>
    Array.from({ length: population.count }, (_, index): Person => {
      const chance = createRandom(seed, `user:${users}:${index}`);
      const mood = population.mood * chance.normal();
      const patience = Math.exp(PATIENCE_SPREAD * chance.normal());
      return { users, population, name: `${users}-${index}`, chance, mood, patience };
    }),
  );
  let days = 0;
  let waiting: readonly Visit[] = [];
  return {
    before(t_ms) {
      for (; days * DAY_MS < t_ms; days += 1) {
        const visits = people.flatMap((person) => dayOf(person, world.scenario, days));
        waiting = [...waiting, ...visits].sort((left, right) => left.t_ms - right.t_ms);
      }
      const later = waiting.findIndex((visit) => visit.t_ms >= t_ms);
      const end = later < 0 ? waiting.length : later;
      const now = waiting.slice(0, end);
      waiting = waiting.slice(end);
      return now;
    },
  };
}

interface Person {
  readonly users: string;
  readonly population: Population;
  readonly name: string;
  readonly chance: Random;
  readonly mood: number;
  readonly patience: number;
}

function dayOf(person: Person, scenario: Scenario, day: number): readonly Visit[] {
  const { users, population, name, mood } = person;
  // A day is a fork: how much happens on one moves nothing of the next.
  const chance = person.chance.fork();
  const most = mostOf(scenario, users, day);
  const sessions = chance.poisson((population.calls_per_day / population.turns) * most);
  const visits: Visit[] = [];
  for (let index = 0; index < sessions; index += 1) {
    const t_ms = Math.floor((day + chance.uniform()) * DAY_MS);
    const kept = chance.uniform() * most < trafficAt(scenario, users, t_ms);
    const turns = 1 + chance.poisson(population.turns - 1);
    const category = pickName(population.intents, chance.uniform());
    const session = `${name}-${day}-${index}`;
    let at_ms = t_ms;
    for (let turn = 0; turn < turns; turn += 1) {
      const luck = chance.fork();
      if (turn > 0) at_ms += Math.ceil(chance.exponential(TURN_MS));
      if (!kept || !isActive(population, at_ms)) continue;
      const patience_ms = population.patience_ms * person.patience;
      visits.push({
        t_ms: at_ms,
        users,
        user: name,
        session,
        turn,
        category,
        mood,
        patience_ms,
        luck,
      });
    }
  }
  return visits;
}

function isActive({ from, until }: Population, t_ms: number): boolean {
  return t_ms >= from * DAY_MS && (until === undefined || t_ms < until * DAY_MS);
}

/** The rate of a population's calls at a moment, relative to its mean. */
export function trafficAt(scenario: Scenario, users: string, t_ms: number): number {
  const { daily, weekly, peak_hour } = scenario.season;
  const hour = (t_ms % DAY_MS) / HOUR_MS;
  const weekday = Math.floor(t_ms / DAY_MS) % 7;
  const of_day = 1 + daily * Math.cos(((hour - peak_hour) / 24) * 2 * Math.PI);
  const of_week = weekday >= 5 ? 1 - weekly : 1;
  const surges = scenario.happenings
    .filter((one) => one.users === users)
    .reduce((product, one) => product * one.traffic ** strengthOf(one, t_ms), 1);
  return of_day * of_week * surges;
}

/** A bound of `trafficAt` over a day: sessions are drawn at it, and thinned. */
function mostOf(scenario: Scenario, users: string, day: number): number {
  const surges = scenario.happenings
    .filter((one) => one.users === users && one.traffic > 1)
    .filter(({ day: from, until = Number.POSITIVE_INFINITY }) => from < day + 1 && until > day);
  const base = 1 + scenario.season.daily;
  return surges.reduce((product, { traffic }) => product * traffic, base);
}
