import { expect, test } from 'vitest';
import { z } from 'zod';
import type { FindingDraft } from '../../../src/core/finding.ts';
import { actOptions, familyDetector, firmWords } from '../../../src/core/findings/family.ts';
import { cell, detectWith, observed } from '../../oracle/observation.ts';

test('familyDetector shares its budgets among all it asked, and notes what is missing', () => {
  const budgets: number[] = [];
  const definition = familyDetector({
    name: 'of-two',
    summary: 'Asks two questions of each cell.',
    options: z.strictObject({ q: z.number().default(0.1), ...actOptions }),
    ask: (_scene, { segment }, _settings, sift) => {
      const missing = { segment, metric: 'error', units: 1, required: 2, of: 'units' } as const;
      sift({ ...missing, eta_ms: null });
      expect(sift(null)).toEqual([]);
      return [1e-9, 0.9].flatMap((p_week) =>
        sift({ p_week }).map((one) => ({
          ...one,
          clears: true,
          said: (p_act: number) => {
            budgets.push(p_act);
            return { text: firmWords(p_week <= p_act) } as FindingDraft;
          },
        })),
      );
    },
  });
  const segments = ['a', 'b'].map((target) => cell(target, 'error', 1, 1));
  const { findings, insufficient } = detectWith(definition, observed(segments));
  // Two targets, two questions each; one of each holds.
  expect(findings.map(({ text }) => text)).toEqual(['', '']);
  expect(budgets).toEqual([0.001 / 4, 0.001 / 4]);
  expect(insufficient).toHaveLength(2);
  const strict = detectWith(definition, observed(segments), { q_act: 1e-12 });
  expect(strict.findings[0]?.text).toMatch(/not yet to act on/);
});
