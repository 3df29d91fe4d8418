import fc from 'fast-check';
import { expect, test } from 'vitest';
import { unitFraction } from '../../../src/core/unit.ts';
import { decide } from '../../../src/gateway/hooks/scope.ts';

const choice = { name: 'model-router', options: ['a', 'b', 'c'], probabilities: [2, 1, 1] };
const units = Array.from({ length: 4000 }, (_, index) => `u:${index}`);
const sharesOf = (chosen: readonly string[]) =>
  Object.fromEntries(
    ['a', 'b', 'c'].map((option) => [
      option,
      chosen.filter((one) => one === option).length / chosen.length,
    ]),
  );

test('decide gives each unit always the same option, in the shares asked for', () => {
  const chosen = units.map((unit) => decide(unit, 'helper', choice).chosen);
  expect(units.map((unit) => decide(unit, 'helper', choice).chosen)).toEqual(chosen);
  const shares = sharesOf(chosen);
  expect(shares.a).toBeCloseTo(0.5, 1);
  expect(shares.b).toBeCloseTo(0.25, 1);
});

test('decide draws with the salt name:agent:0', () => {
  for (const unit of units.slice(0, 100)) {
    const u = unitFraction('model-router:helper:0', unit);
    expect(decide(unit, 'helper', choice).chosen).toBe(u < 0.5 ? 'a' : u < 0.75 ? 'b' : 'c');
  }
});

test('decide takes unhealthy options out, renormalises the rest, and says so', () => {
  const excluded = new Set(['a']);
  const decisions = units.map((unit) => decide(unit, 'helper', choice, excluded));
  expect(decisions[0]).toMatchObject({
    options: ['b', 'c'],
    probabilities: [0.5, 0.5],
    forced: 'health',
  });
  const shares = sharesOf(decisions.map(({ chosen }) => chosen));
  expect(shares.a).toBe(0);
  expect(shares.b).toBeCloseTo(0.5, 1);
  expect(sharesOf(decisions.map(({ intended }) => intended)).a).toBeCloseTo(0.5, 1);
});

test('decide moves only units whose choice is unhealthy', () => {
  for (const unit of units) {
    const { chosen, intended } = decide(unit, 'helper', choice, new Set(['c']));
    if (intended !== 'c') expect(chosen).toBe(intended);
  }
});

test('decide flags a choice that was none', () => {
  const only = decide('u:1', 'helper', { name: 'n', options: ['a'], probabilities: [0] });
  expect(only).toEqual({
    name: 'n',
    options: ['a'],
    probabilities: [1],
    chosen: 'a',
    intended: 'a',
    forced: 'only',
  });
});

test('decide chooses among all where all are unhealthy', () => {
  const decision = decide('u:1', 'helper', choice, new Set(['a', 'b', 'c']));
  expect(decision.options).toEqual(['a', 'b', 'c']);
  expect(decision.chosen).toBe(decision.intended);
});

test('decide records probabilities that sum to one, and a chosen option among them', () => {
  const weights = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(weights, fc.string(), fc.array(fc.nat(7)), (probabilities, unit, out) => {
      const options = probabilities.map((_, index) => `o${index}`);
      const excluded = new Set(out.map((index) => `o${index}`));
      const decision = decide(unit, 'x', { name: 'n', options, probabilities }, excluded);
      expect(decision.options).toContain(decision.chosen);
      expect(options).toContain(decision.intended);
      expect(decision.probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 9);
    }),
  );
});

test('decide refuses an empty list and probabilities that are none', () => {
  const bad = (options: string[], probabilities: number[]) => () =>
    decide('u', 'x', { name: 'n', options, probabilities });
  expect(bad([], [])).toThrow('nothing to choose from');
  expect(bad(['a'], [])).toThrow('needs a probability');
  expect(bad(['a'], [-1])).toThrow('needs a probability');
  expect(bad(['a'], [Number.NaN])).toThrow('needs a probability');
});

test('decide draws a unit anew with each epoch of a table, and says whose shares they are', () => {
  const drawn = (epoch: number) => ({ epoch, category: 'code' });
  const first = units.map((unit) => decide(unit, 'helper', choice, new Set(), drawn(1)).chosen);
  const second = units.map((unit) => decide(unit, 'helper', choice, new Set(), drawn(2)).chosen);
  const kept = first.filter((chosen, index) => chosen === second[index]).length / units.length;
  // Independent draws agree with probability .25 + .0625 + .0625.
  expect(kept).toBeCloseTo(0.375, 1);
  expect(decide('u:1', 'helper', choice, new Set(), drawn(1)).category).toBe('code');
  expect(decide('u:1', 'helper', choice)).not.toHaveProperty('category');
});
