import { expect, test } from 'vitest';
import { findingsText } from '../../src/cli/findings-text.ts';
import type { Analysis } from '../../src/core/oracle.ts';
import { findingFor } from '../oracle/kit.ts';

const DAY_MS = 86_400_000;
const ANALYSIS: Analysis = {
  id: 'analysis_1',
  at_ms: DAY_MS,
  window: { from_ms: 0, to_ms: DAY_MS },
  version: 'v',
  findings: [
    findingFor('solo', { support: ['segment-scan'], evidence: ['call_1'] }),
    findingFor('duo', { metric: 'latency_ms', measure: 'ms', estimate: 960, level: 'investigate' }),
  ],
  insufficient: [
    {
      detector: 'dissatisfaction',
      segment: { agent: 'duo', target: 'mini' },
      metric: 'dissatisfied',
      units: 9,
      required: 20,
      of: 'units',
      eta_ms: 2 * DAY_MS,
    },
  ],
};

test('findingsText shows a table, then what each says, its disproof, and who says so', () => {
  const lines = findingsText(ANALYSIS, { all: false }).split('\n');
  expect(lines[0]).toBe('2 findings, 1970-01-01T00:00:00Z to 1970-01-02T00:00:00Z.');
  expect(lines[2]).toMatch(/^1 +critical +act +solo +dissatisfied +75\.0 % +threshold 15\.0 %/);
  expect(lines[3]).toMatch(/^2 +critical +investigate +duo +latency_ms +960 ms/);
  expect(lines[5]).toBe('1. Too many were dissatisfied.');
  expect(lines[6]).toBe('   Fewer than that.');
  expect(lines[7]).toMatch(
    /dissatisfaction says so, p < 0\.000001; so do segment-scan; see call_1/,
  );
  expect(lines.at(-1)).toBe('1 more cannot be told yet for want of data: hive findings --all');
});

test('findingsText keeps to one agent, and says what is missing and until when where asked', () => {
  const text = findingsText(ANALYSIS, { agent: 'duo', all: true });
  expect(text).toMatch(/^1 finding, /);
  expect(text).not.toContain('solo');
  expect(text).toContain('too little data: dissatisfied of duo / mini has 9 of 20 units;');
  expect(text).toContain('; enough about 1970-01-03T00:00:00Z');
});

test('findingsText says nothing with a terminal’s control characters', () => {
  const loud = { ...ANALYSIS, findings: [findingFor('solo', { text: 'a\u001b[31mb' })] };
  expect(findingsText(loud, { all: false })).not.toContain('\u001b');
});
