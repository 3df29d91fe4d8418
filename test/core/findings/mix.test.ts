import { describe, expect, test } from 'vitest';
import { mixOf } from '../../../src/core/findings/mix.ts';
import { levelOf } from '../../../src/core/findings/rate-draft.ts';
import { countOf, sceneOf } from '../../../src/core/findings/scene.ts';
import { mixWords } from '../../../src/core/findings/words.ts';
import type { SegmentObservation } from '../../../src/core/observation.ts';
import { cell, observed } from '../../oracle/observation.ts';

const inCategory = (
  category: string,
  events: number,
  units: number,
  target: string | null = null,
) => cell(target, 'error', events, units, { category });

function mixIn(segments: readonly SegmentObservation[], past: readonly SegmentObservation[]) {
  const scene = sceneOf(observed(segments, past));
  return mixOf(scene, segments[0] as SegmentObservation, 'past', (one) => countOf(one, 'error'));
}

describe('mixOf', () => {
  test('mixOf blocks a rise that turns around within categories (Simpson)', () => {
    // Code fails at 10 % and chat at 1 %; both got better, but now most calls are code.
    const now = [
      cell(null, 'error', 81, 1000),
      inCategory('code', 80, 900),
      inCategory('chat', 1, 100),
    ];
    const past = [
      cell(null, 'error', 190, 10000),
      inCategory('code', 100, 1000),
      inCategory('chat', 90, 9000),
    ];
    const mix = mixIn(now, past);
    expect(mix).toMatchObject({ by: 'category', verdict: 'reversed' });
    expect(mix?.crude).toBeGreaterThan(0.05);
    expect(mix?.adjusted.difference).toBeLessThan(0);
    expect(levelOf('act', mix, true, false)).toBe('note');
    expect(mixWords(mix)).toMatch(
      /Within categories the difference is -0\.9 points.*Simpson’s paradox/,
    );
  });

  test('mixOf says so where the mix explains a rise without turning it', () => {
    const now = [
      cell(null, 'error', 92, 1000),
      inCategory('code', 91, 900),
      inCategory('chat', 1, 100),
    ];
    const past = [
      cell(null, 'error', 190, 10000),
      inCategory('code', 100, 1000),
      inCategory('chat', 90, 9000),
    ];
    expect(mixIn(now, past)).toMatchObject({ verdict: 'explained' });
  });

  test('mixOf lets a rise stand that is within each category as well', () => {
    const now = [
      cell(null, 'error', 80, 1000),
      inCategory('code', 60, 300),
      inCategory('chat', 20, 700),
    ];
    const past = [
      cell(null, 'error', 370, 10000),
      inCategory('code', 300, 3000),
      inCategory('chat', 70, 7000),
    ];
    const mix = mixIn(now, past);
    expect(mix).toMatchObject({ verdict: 'same' });
    expect(levelOf('act', mix, true, false)).toBe('act');
    expect(mixWords(mix)).toBe('');
  });

  test('mixOf compares a target with its peers within the same categories', () => {
    // The router gives demo the code; within code and chat it is no worse than mini.
    const segments = [
      cell('demo', 'error', 91, 1000),
      cell('mini', 'error', 19, 1000),
      inCategory('code', 90, 900, 'demo'),
      inCategory('chat', 1, 100, 'demo'),
      inCategory('code', 10, 100, 'mini'),
      inCategory('chat', 9, 900, 'mini'),
    ];
    const scene = sceneOf(observed(segments));
    const count = (one: SegmentObservation) => countOf(one, 'error');
    const mix = mixOf(scene, segments[0] as SegmentObservation, 'peers', count);
    expect(mix).toMatchObject({ by: 'category' });
    expect(mix?.verdict).not.toBe('same');
  });

  test('mixOf has no opinion where strata hold too few of the units', () => {
    const now = [
      cell(null, 'error', 81, 1000),
      inCategory('code', 8, 90),
      inCategory('chat', 1, 100),
    ];
    expect(mixIn(now, [inCategory('code', 1, 100), inCategory('chat', 1, 100)])).toBeNull();
  });
});

test('levelOf never acts on an agent in an experiment, nor on what one half does not show', () => {
  expect(levelOf('act', null, null, false)).toBe('act');
  expect(levelOf('act', null, true, true)).toBe('investigate');
  expect(levelOf('act', null, false, false)).toBe('investigate');
  expect(levelOf('note', null, true, false)).toBe('note');
});
