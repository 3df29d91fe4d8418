import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Call } from '../../../src/core/call.ts';
import {
  callContext,
  decodeFeatures,
  encodeFeatures,
} from '../../../src/core/routing/call-context.ts';
import { fitThroughChanges } from '../../../src/core/routing/context-drift.ts';
import { fitContext } from '../../../src/core/routing/context-fit.ts';
import {
  contextProbabilities,
  createContextScorer,
  scoreContext,
} from '../../../src/core/routing/context-model.ts';
import { reportContext } from '../../../src/core/routing/context-report.ts';
import type { ContextSample } from '../../../src/core/routing/context-rows.ts';
import { createContextualChoice } from '../../../src/core/routing/contextual-choice.ts';
import {
  addOuterProduct,
  dot,
  factorOf,
  inverseOf,
  mirror,
  times,
  topDirections,
} from '../../../src/core/routing/positive-matrix.ts';
import { FEATURES, promptFeatures } from '../../../src/core/routing/prompt-features.ts';
import { createRandom } from '../../../src/core/routing/random.ts';
import { callOf } from '../../plugins/recording-scope.ts';
import { runContextWorld } from './context-world.ts';

const TEXTS = ['def f(x): return {x: [1]};', 'Where is my parcel?', 'Prove that $x^2$ is even.'];
const RULE = { rule: 'linucb', explore: 1, gamma: 3, floor: 0.02 } as const;
const ones = (count: number): Float64Array => new Float64Array(count).fill(1);

/** Calls of three texts; target `a` is good at the first, `b` at the others. */
function samplesOf(count: number, seed: number): readonly ContextSample[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, at) => {
    const kind = at % 3;
    const target = random.uniform() < 0.5 ? 'a' : 'b';
    const good = (target === 'a') === (kind === 0);
    const reward = Number(random.uniform() < (good ? 0.9 : 0.2));
    const features = encodeFeatures(promptFeatures(`${TEXTS[kind]} ${at % 7}`));
    return { features, category: '', target, reward };
  });
}

describe('call context', () => {
  test('call context is in the event exactly as it was scored, in 88 characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.boolean(), (text, sticky) => {
        const call = callOf({ messages: [{ role: 'user', content: text }], tools: [{}] });
        const x = callContext(call, sticky, new Float64Array(FEATURES));
        const written = encodeFeatures(x);
        expect(written).toHaveLength(88);
        const read = new Float64Array(FEATURES);
        expect(decodeFeatures(written, read)).toBe(true);
        expect(read.map((one) => one + 0)).toEqual(x.map((one) => one + 0));
      }),
      { numRuns: 60 },
    );
    expect(decodeFeatures('AAAA', new Float64Array(FEATURES))).toBe(false);
  });

  test('call context of a session that sticks is the same in all of its turns', () => {
    const first = [{ role: 'user', content: TEXTS[0] as string }];
    const later = [
      ...first,
      { role: 'assistant', content: 'so' },
      { role: 'user', content: 'why' },
    ];
    const of = (messages: typeof first, sticky: boolean) =>
      encodeFeatures(
        callContext(callOf({ messages, tools: [{}] }), sticky, new Float64Array(FEATURES)),
      );
    expect(of(later, true)).toBe(of(first, true));
    expect(of(later, false)).not.toBe(of(first, false));
  });
});

describe('context model', () => {
  test('context model tells which target is good at what, after JSON too', () => {
    const samples = samplesOf(600, 1);
    const { model } = fitContext(samples, ['b', 'a'], ones(600));
    const scorer = createContextScorer(JSON.parse(JSON.stringify(model)));
    for (const [kind, text] of TEXTS.entries()) {
      const x = promptFeatures(`${text} 3`);
      const { means, deviations } = scoreContext(scorer as never, x, '', ['a', 'b'], true);
      const [a = 0, b = 0] = means;
      expect(kind === 0 ? a - b : b - a).toBeGreaterThan(0.4);
      expect(Math.max(...deviations)).toBeLessThan(0.15);
    }
  });

  test('context model of targets that do not differ by context is one level a target', () => {
    const random = createRandom(5);
    const samples = samplesOf(900, 2).map((one) => ({
      ...one,
      reward: Number(random.uniform() < (one.target === 'a' ? 0.7 : 0.5)),
    }));
    const fit = fitContext(samples, ['a', 'b'], ones(900));
    const own = fit.arms[0]?.own ?? new Float64Array();
    for (const weight of own.subarray(1)) expect(Math.abs(weight)).toBeLessThan(0.05);
    expect(fit.arms[0]?.level).toBeGreaterThan((fit.arms[1]?.level ?? 1) + 0.1);
  });

  test('context model doubts a target that nobody asked most, and expects what is common', () => {
    const samples = samplesOf(600, 3);
    const { model } = fitContext(samples, ['a', 'b', 'new'], ones(600));
    const scorer = createContextScorer(model);
    const x = promptFeatures(`${TEXTS[1]} 3`);
    const scores = scoreContext(scorer as never, x, '', ['a', 'b', 'new'], true);
    const [a = 0, b = 0, fresh = 0] = scores.deviations;
    expect(fresh).toBeGreaterThan(2 * Math.max(a, b));
    const [low, high] = [...scores.means.subarray(0, 2)].sort((left, right) => left - right);
    expect(scores.means[2]).toBeGreaterThan(low as number);
    expect(scores.means[2]).toBeLessThan(high as number);
  });

  test('context model starts a category that is new from calls that look alike', () => {
    const samples = samplesOf(600, 4).map((one, at) => ({ ...one, category: `k${at % 2}` }));
    const { model } = fitContext(samples, ['a', 'b'], ones(600));
    expect(model.categories).toEqual(['k0', 'k1']);
    const scorer = createContextScorer(model);
    const x = promptFeatures(TEXTS[0] as string);
    const { means } = scoreContext(scorer as never, x, 'never seen', ['a', 'b'], true);
    expect((means[0] as number) - (means[1] as number)).toBeGreaterThan(0.4);
  });

  test('context model learns a level of calls that were routed without features', () => {
    const samples = samplesOf(200, 6).map((one) => ({
      ...one,
      features: null,
      reward: Number(one.target === 'a'),
    }));
    const { model } = fitContext(samples, ['a', 'b'], ones(200));
    const scorer = createContextScorer(model);
    const { means } = scoreContext(scorer as never, promptFeatures('hi'), '', ['a', 'b'], true);
    expect((means[0] as number) - (means[1] as number)).toBeGreaterThan(0.7);
  });

  test('context model of other features, or that does not fit itself, is not used', () => {
    const { model } = fitContext(samplesOf(60, 1), ['a', 'b'], ones(60));
    expect(createContextScorer({ ...model, features: 'other' })).toBeNull();
    expect(createContextScorer({ ...model, weights: [[1, 2]] })).toBeNull();
    expect(createContextScorer({ ...model, basis: [[1]] })).toBeNull();
  });

  test('context model forgets what was before a target changed', () => {
    const before = samplesOf(600, 7);
    const after = samplesOf(240, 8).map((one) =>
      one.target === 'b' ? { ...one, reward: 0 } : one,
    );
    const { fit, changes } = fitThroughChanges([...before, ...after], ['a', 'b'], 1);
    expect(changes.map(({ target }) => target)).toEqual(['b']);
    const scorer = createContextScorer(fit.model);
    const x = promptFeatures(`${TEXTS[1]} 3`);
    const { means } = scoreContext(scorer as never, x, '', ['a', 'b'], false);
    expect(means[1]).toBeLessThan(0.15);
    expect(means[0]).toBeGreaterThan(means[1] as number);
    expect(fitThroughChanges(before, ['a', 'b'], 1).changes).toEqual([]);
  });
});

describe('context probabilities', () => {
  const scoresArb = fc
    .array(
      fc.record({
        mean: fc.oneof(fc.double({ min: -5, max: 5, noNaN: true }), fc.constant(Number.NaN)),
        deviation: fc.double({ min: 0, max: 2, noNaN: true }),
      }),
      { minLength: 1, maxLength: 10 },
    )
    .map((list) => ({
      means: Float64Array.from(list, ({ mean }) => mean),
      deviations: Float64Array.from(list, ({ deviation }) => deviation),
    }));

  test('context probabilities add up to 1 and keep the floor, by either rule', () => {
    fc.assert(
      fc.property(scoresArb, fc.constantFrom('linucb', 'squarecb'), (scores, rule) => {
        const given = contextProbabilities(scores, { ...RULE, rule }, { noise: 0.4, rewards: 300 });
        if (given === null) {
          expect([...scores.means].every(Number.isNaN)).toBe(true);
          return;
        }
        expect(given.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 9);
        expect(Math.min(...given)).toBeGreaterThanOrEqual(0.02 - 1e-9);
      }),
    );
  });

  test('context probabilities explore doubt, and settle where there is none', () => {
    const of = (deviation: number) =>
      contextProbabilities(
        { means: Float64Array.of(0.6, 0.5), deviations: Float64Array.of(0.01, deviation) },
        RULE,
        { noise: 0.4, rewards: 300 },
      )?.[1] as number;
    expect(of(0)).toBeCloseTo(0.02, 9);
    expect(of(0.1)).toBeGreaterThan(0.2);
    expect(of(0.1)).toBeLessThan(of(0.5));
  });
});

describe('contextual choice', () => {
  test('contextual choice has no probabilities without a model, and features all the same', () => {
    const choice = createContextualChoice(RULE, false);
    const call = callOf({ messages: [{ role: 'user', content: 'hi' }] }) as Call;
    const asked = { call, category: '', targets: ['a', 'b'] };
    expect(choice.probabilities({ ...asked, published: null })).toBeNull();
    expect(choice.features()).toHaveLength(88);
    const { model } = fitContext(samplesOf(300, 1), ['a', 'b'], ones(300));
    const published = { epoch: 1, table: { targets: ['a', 'b'], by: {}, model } };
    const text = { role: 'user', content: TEXTS[0] as string };
    const code = callOf({ messages: [text] }) as Call;
    const given = choice.probabilities({ ...asked, call: code, published }) as number[];
    expect(given[0]).toBeGreaterThan(0.9);
  });
});

describe('context report', () => {
  test('context report names what tells targets apart, with intervals and shares', () => {
    const fit = fitContext(samplesOf(900, 9), ['a', 'b'], ones(900));
    const { categories, strongest, effects } = reportContext(fit, RULE);
    const targets = categories[0]?.targets ?? [];
    expect(targets.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
    for (const { mean, low, high } of targets) expect(low < mean && mean < high).toBe(true);
    expect(strongest.a?.length).toBeGreaterThan(0);
    expect(effects.a?.find(({ feature }) => feature === 'code')?.effect).toBeGreaterThan(0);
    expect(effects.b?.find(({ feature }) => feature === 'code')?.effect).toBeLessThan(0);
  });
});

describe('positive matrix', () => {
  test('positive matrix times its inverse is one, and its top directions are orthonormal', () => {
    const random = createRandom(11);
    const d = 12;
    const a = new Float64Array(d * d);
    for (let row = 0; row < 40; row += 1) {
      addOuterProduct(
        a,
        Float64Array.from({ length: d }, () => random.normal()),
        1,
      );
    }
    mirror(a, d);
    const inverse = inverseOf(factorOf(a, new Float64Array(d)), d);
    for (let column = 0; column < d; column += 1) {
      const image = times(a, inverse.slice(column * d, (column + 1) * d));
      for (const [row, value] of image.entries()) {
        expect(value).toBeCloseTo(row === column ? 1 : 0, 8);
      }
    }
    const rows = topDirections(a, d, 4);
    for (const [i, left] of rows.entries()) {
      for (const [j, right] of rows.entries()) {
        expect(dot(left, right)).toBeCloseTo(i === j ? 1 : 0, 9);
      }
    }
  });
});

test('a contextual router learns who is good at what, at under 0.5 of uniform’s regret', () => {
  const world = { arms: 2, calls: 2500, seed: 1, differ: true, drift: false, refit_calls: 250 };
  const run = runContextWorld({ ...world, rule: RULE });
  expect(run.regret / run.uniform_regret).toBeLessThan(0.5);
  expect(run.settled).toBeGreaterThan(0.8);
}, 20_000);
