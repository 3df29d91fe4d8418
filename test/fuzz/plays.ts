import fc from 'fast-check';
import type { Asking } from './played-call.ts';
import { Play, POLICIES, type PolicyName } from './played-gateway.ts';
import { MOVES, type Move } from './played-upstream.ts';

/** What is known of a play without looking: there is nobody to leave before somebody has called. */
interface Model {
  calls: number;
}

type Step = fc.AsyncCommand<Model, Play>;

function step(name: string, run: (play: Play) => Promise<void> | void): Step {
  return {
    check: ({ calls }) => calls > 0,
    run: async (_model, play) => run(play),
    toString: () => name,
  };
}

function calling(asking: Asking, reuses: boolean): Step {
  const { streamed, chunked, halved } = asking;
  const how = [streamed && 'streamed', chunked && 'chunked', halved && 'halved', reuses && 'again'];
  return {
    check: () => true,
    async run(model, play) {
      model.calls += 1;
      await play.call(asking, reuses);
    },
    toString: () => `call(${how.filter(Boolean).join(' ')})`,
  };
}

const moving = (nth: number, move: Move): Step =>
  step(`move(${nth}, ${move})`, (play) => play.move(nth, move));
const swapping = (name: PolicyName): Step => ({
  ...step(`swap(${name})`, (play) => play.swap(name)),
  check: () => true,
});

const nth = fc.nat(5);
const seldom = fc.nat(3).map((one) => one === 0);
const STEPS: fc.Arbitrary<Step>[] = [
  fc
    .tuple(fc.boolean(), seldom, seldom, fc.boolean())
    .map(([streamed, chunked, halved, reuses]) => calling({ streamed, chunked, halved }, reuses)),
  fc.tuple(nth, fc.constantFrom(...MOVES)).map(([at, move]) => moving(at, move)),
  fc.tuple(nth, fc.constantFrom<Move>('answer', 'token')).map(([at, move]) => moving(at, move)),
  fc
    .tuple(nth, fc.constantFrom<'reset' | 'end'>('reset', 'end'))
    .map(([at, how]) => step(`leave(${at}, ${how})`, (play) => play.leave(at, how))),
  nth.map((at) => step(`sendRest(${at})`, (play) => play.sendRest(at))),
  fc.constantFrom(...POLICIES).map(swapping),
  fc.constantFrom(3, 20).map((ms) => step(`pass(${ms})`, (play) => play.pass(ms))),
];

export interface PlaysSpec {
  readonly seed: number;
  readonly count: number;
  /** Steps of a play, at most. */
  readonly steps: number;
  /** Says which play has failed, and looks for no shorter one: that takes as long as they all. */
  readonly endOnFailure?: boolean;
}

/**
 * Random sequences of what clients, upstreams and operators may do, each ended in order: whatever
 * came before, each client saw one end, each call has one record, and nothing is left in hand.
 */
export async function runPlays({
  seed,
  count,
  steps,
  endOnFailure = false,
}: PlaysSpec): Promise<void> {
  const plays = fc.commands(STEPS, { maxCommands: steps, size: 'max' });
  const property = fc.asyncProperty(plays, seldom, async (commands, stops) => {
    const play = await Play.begin();
    try {
      await fc.asyncModelRun(() => ({ model: { calls: 0 }, real: play }), commands);
    } finally {
      await play.end(stops);
    }
  });
  await fc.assert(property, { seed, numRuns: count, endOnFailure });
}
