import { describe, expect, test } from 'vitest';
import { ANSWER, askedBody } from '../../bench/peers/bodies.ts';
import {
  type Figure,
  figuresTable,
  ratios,
  spreadOf,
  verdictOf,
} from '../../bench/peers/figures.ts';
import { cpuMs, rssKb } from '../../bench/peers/proc.ts';

const figure: Figure = {
  name: 'CPU per call',
  unit: '×',
  gate: 5,
  stretch: 3.5,
  rounds: [4, 6, 3],
  remark: '80 µs over 20 µs',
};

describe('figures', () => {
  test('verdictOf judges by the median of the rounds, and by the stretch first', () => {
    expect(verdictOf(figure)).toBe('met');
    expect(verdictOf({ ...figure, rounds: [3, 6, 3] })).toBe('stretch met');
    expect(verdictOf({ ...figure, rounds: [9, 6, 3] })).toBe('MISSED');
    expect(verdictOf({ ...figure, rounds: [] })).toBe('not measured');
  });

  test('verdictOf takes more for better where that is so', () => {
    const times: Figure = { ...figure, gate: 7.5, stretch: 11, more: true };
    expect(verdictOf({ ...times, rounds: [7] })).toBe('MISSED');
    expect(verdictOf({ ...times, rounds: [8] })).toBe('met');
    expect(verdictOf({ ...times, rounds: [12] })).toBe('stretch met');
  });

  test('ratios are each round’s own, and a round without a divisor has none', () => {
    expect(ratios([6, 8, 9], [2, 0])).toEqual([3]);
    expect(spreadOf([])).toBeNull();
    expect(spreadOf([4, 6, 3])).toEqual({ min: 3, median: 4, max: 6 });
  });

  test('figuresTable is Markdown with a row a figure', () => {
    const rows = figuresTable([figure, { ...figure, rounds: [] }]).split('\n');
    expect(rows).toHaveLength(4);
    expect(rows[2]).toBe(
      '| CPU per call | 4.00 × (3.00–6.00) | ≤ 5 × | ≤ 3.5 × | met | 80 µs over 20 µs |',
    );
    expect(rows[3]).toContain('not measured');
  });
});

describe('bodies', () => {
  test.each([1024, 10 * 1024])('askedBody has %i bytes and is a chat completion', (bytes) => {
    const body = askedBody(bytes, { stream: true });
    expect(body).toHaveLength(bytes);
    expect(JSON.parse(body)).toMatchObject({ model: 'default', stream: true });
  });

  test('the answer can stand in an nginx configuration as it is', () => {
    expect(ANSWER).not.toMatch(/[$'\\]/);
    expect(JSON.parse(ANSWER)).toMatchObject({ object: 'chat.completion' });
  });
});

describe.runIf(process.platform === 'linux')('proc', () => {
  test('cpuMs grows with the work of a process', () => {
    const before_ms = cpuMs(process.pid);
    const until_ms = performance.now() + 10_000;
    let sum = 0;
    while (cpuMs(process.pid) < before_ms + 30 && performance.now() < until_ms) {
      for (let index = 0; index < 1e6; index += 1) sum += index;
    }
    expect(sum).toBeGreaterThan(0);
    expect(cpuMs(process.pid)).toBeGreaterThanOrEqual(before_ms + 30);
  });

  test('rssKb is what Node says of itself', () => {
    const told = process.memoryUsage.rss() / 1024;
    expect(rssKb(process.pid) / told).toBeGreaterThan(0.8);
    expect(rssKb(process.pid) / told).toBeLessThan(1.25);
  });
});
