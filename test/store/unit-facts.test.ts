import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cellKey, cellsOf, DAY_MS, HOUR_MS } from '../../src/store/cells.ts';
import {
  CONVERSATION_CALLS_MAX,
  type Fact,
  MEDIANS,
  RATERS,
  ratingMetric,
  type Step,
  tenantMetric,
  type UnitDay,
  WINDOW_HOURS_MAX,
} from '../../src/store/unit-day.ts';
import { applyFacts, createTouched } from '../../src/store/unit-facts.ts';

const at = (target: string, tenant = 'acme', category = 'code') => ({
  agent: 'a',
  target,
  tenant,
  category,
});

/** A unit's rows, applied to as the store does: batch by batch, day by day. */
function createUnit() {
  const days = new Map<number, UnitDay>();
  const counts = new Map<string, number>();
  const add: Step = (cell, metric, kind, at_ms, by, gap) => {
    const key = [cellKey(cell), metric, kind, at_ms, gap].join('|');
    const sum = (counts.get(key) ?? 0) + by;
    if (Math.abs(sum) < 1e-9) counts.delete(key);
    else counts.set(key, sum);
  };
  return {
    apply(facts: readonly Fact[], calls = 0): void {
      const touched = [...new Set(facts.map(({ hour_ms }) => hour_ms - (hour_ms % DAY_MS)))];
      for (const day_ms of touched.sort((a, b) => a - b)) {
        const today = days.get(day_ms) ?? { day_ms, seen: [], calls: 0 };
        const mine = facts.filter(({ hour_ms }) => hour_ms - (hour_ms % DAY_MS) === day_ms);
        const before = days.get(day_ms - DAY_MS) ?? null;
        const after = days.get(day_ms + DAY_MS) ?? null;
        if (applyFacts({ before, today, after }, mine, calls, createTouched(cellsOf), add))
          days.set(day_ms, today);
      }
    },
    counts: () => Object.fromEntries(counts),
    /** Distinct units of a cell and metric in the hours from then to now. */
    inWindow(cell: string, metric: string, from_ms: number): number {
      return [...counts]
        .filter(([key]) => key.startsWith(`${cell}|${metric}|first|`))
        .filter(([key]) => {
          const [at_ms = 0, gap = 0] = key.split('|').slice(3).map(Number);
          return at_ms >= from_ms && (gap === 0 || at_ms - gap * HOUR_MS < from_ms);
        })
        .reduce((sum, [, by]) => sum + by, 0);
    },
  };
}

function fact(hour: number, metric = 'calls', events = 1, where = at('demo')): Fact {
  return { at: where, hour_ms: hour * HOUR_MS, metric, events, once: metric === 'calls' };
}

const ALL = cellKey({ agent: 'a', target: '', tenant: '', category: '' });

describe('units counted as they change', () => {
  test('a unit is counted once in a window, at its first hour, whatever the window', () => {
    const hours = fc.uniqueArray(fc.integer({ min: 0, max: 71 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(hours, fc.integer({ min: 1, max: WINDOW_HOURS_MAX }), (given, length) => {
        const unit = createUnit();
        for (const hour of given) unit.apply([fact(hour)]);
        const from = 71 - length + 1;
        const there = given.some((hour) => hour >= from) ? 1 : 0;
        expect(unit.inWindow(ALL, 'calls', from * HOUR_MS)).toBe(there);
      }),
    );
  });

  test('counts are the same however facts are ordered and cut, and are taken back exactly', () => {
    const given = fc.record({
      hour: fc.integer({ min: 0, max: 71 }),
      metric: fc.constantFrom('calls', 'error', 'rated', 'dissatisfied', ratingMetric(2)),
      target: fc.constantFrom('demo', 'mini', ''),
      tenant: fc.constantFrom('acme', 'other'),
    });
    const several = fc.array(given, { minLength: 1, maxLength: 25 });
    fc.assert(
      fc.property(several, several, fc.nat(), (kept, gone, cut) => {
        const facts = (from: typeof kept, events: number) =>
          from.map(({ hour, metric, target, tenant }) =>
            fact(hour, metric, events, at(target, tenant)),
          );
        const whole = createUnit();
        whole.apply(facts(kept, 1));
        const parts = createUnit();
        const reversible = gone.filter(({ metric }) => metric !== 'calls');
        parts.apply(facts(reversible, 1));
        const reversed = facts(kept, 1).reverse();
        const middle = cut % (reversed.length + 1);
        parts.apply(reversed.slice(0, middle));
        for (const one of reversed.slice(middle)) parts.apply([one]);
        for (const one of facts(reversible, -1)) parts.apply([one]);
        const rounded = (counts: Record<string, number>) =>
          Object.fromEntries(Object.entries(counts).map(([key, by]) => [key, by.toFixed(6)]));
        expect(rounded(parts.counts())).toEqual(rounded(whole.counts()));
      }),
    );
  });

  test('a unit of two targets is one unit of its agent, and one of each', () => {
    const unit = createUnit();
    unit.apply([fact(1), fact(2, 'calls', 1, at('mini'))]);
    for (const cell of [...cellsOf(at('demo')), ...cellsOf(at('mini'))]) {
      expect([cell, unit.inWindow(cellKey(cell), 'calls', 0)]).toEqual([cell, 1]);
    }
  });

  test('a unit’s ratings count as their median, and by tenant as its verdict', () => {
    const unit = createUnit();
    const rate = (hour: number, value: number) => unit.apply([fact(hour, ratingMetric(value))]);
    rate(1, 1);
    rate(2, 1);
    rate(3, 4);
    expect(unit.inWindow(ALL, RATERS, 0)).toBe(1);
    expect(unit.inWindow(ALL, MEDIANS, 0)).toBe(1);
    rate(3, 5);
    expect(unit.inWindow(ALL, MEDIANS, 0)).toBe(2.5);
    unit.apply([fact(3, 'rated'), fact(3, 'rated', 1, at('demo', 'other'))]);
    expect(unit.inWindow(ALL, 'rated', 0)).toBe(1);
    expect(unit.inWindow(ALL, tenantMetric('rated', 'other'), 0)).toBe(1);
  });

  test('a conversation with too many calls in a day leaves all counts of that day', () => {
    const unit = createUnit();
    unit.apply([fact(1), fact(1, 'error')], CONVERSATION_CALLS_MAX);
    expect(unit.inWindow(ALL, 'error', 0)).toBe(1);
    unit.apply([fact(2)], 1);
    expect(unit.counts()).toEqual({});
    unit.apply([fact(3, 'error')], 1);
    expect(unit.counts()).toEqual({});
    unit.apply([fact(30)], 1);
    expect(unit.inWindow(ALL, 'calls', 0)).toBe(1);
  });
});
