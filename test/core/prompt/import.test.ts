import { describe, expect, test } from 'vitest';
import { promptVersionSchema } from '../../../src/config/prompt-schema.ts';
import type { Json, JsonObject } from '../../../src/core/canonical.ts';
import { importResult } from '../../../src/core/prompt/import.ts';

const PREDICTOR: JsonObject = {
  traces: [],
  train: [],
  demos: [
    {
      augmented: true,
      question: 'Return a shoe?',
      reasoning: 'Rule 3.',
      answer: 'Within 30 days.',
    },
    { question: 'Open on Sunday?', context: ['a', 'b'], answer: 'No.' },
    { question: 'Only a question' },
  ],
  signature: { instructions: 'Answer from the rules.', fields: [{ prefix: 'Question:' }] },
  lm: null,
};
const CANDIDATES = [{ instruct: 'First.' }, { instruct: 'Second.' }];

describe('importResult', () => {
  test('importResult takes GEPA’s best candidate, by index or by score', () => {
    const scored = { candidates: CANDIDATES, val_aggregate_scores: [0.7, 0.4] };
    expect(importResult(scored, {}).ops).toEqual([{ op: 'system.append', text: 'First.' }]);
    expect(importResult({ ...scored, best_idx: 1 }, { anchor: 'Old.' })).toEqual({
      ops: [{ op: 'replace', target: 'system', anchor: 'Old.', text: 'Second.' }],
      author: 'gepa',
      note: 'imported: component instruct',
    });
  });

  test('importResult wants one component named among several', () => {
    const candidate = { plan: 'Plan.', answer: 'Answer.' };
    expect(() => importResult(candidate, {})).toThrow('--component: plan, answer');
    expect(importResult(candidate, { component: 'answer' }).ops).toEqual([
      { op: 'system.append', text: 'Answer.' },
    ]);
  });

  test('importResult makes an instruction and examples of a DSPy program', () => {
    const version = importResult({ answerer: PREDICTOR, metadata: { python: '3.12' } }, {});
    expect(version).toEqual({
      ops: [
        { op: 'system.append', text: 'Answer from the rules.' },
        {
          op: 'fewshot.insert',
          at: 'after-system',
          messages: [
            { role: 'user', content: 'question: Return a shoe?\nreasoning: Rule 3.' },
            { role: 'assistant', content: 'Within 30 days.' },
            { role: 'user', content: 'question: Open on Sunday?\ncontext: ["a","b"]' },
            { role: 'assistant', content: 'No.' },
          ],
        },
      ],
      author: 'dspy',
      note: 'imported: predictor answerer',
    });
    expect(promptVersionSchema.safeParse(version).success).toBe(true);
    const both = importResult(PREDICTOR, { outputs: ['reasoning', 'answer'] });
    expect(both.ops[1]).toMatchObject({
      messages: [
        { role: 'user', content: 'Return a shoe?' },
        { role: 'assistant', content: 'reasoning: Rule 3.\nanswer: Within 30 days.' },
      ],
    });
  });

  test('importResult passes a version of a prompt as it is', () => {
    const version = { ops: [{ op: 'user.suffix', text: 'X' }], note: 'mine' };
    expect(importResult(version, {})).toEqual(version);
  });

  test.each<[Json]>([[[]], [{}], ['text'], [{ a: 1 }], [{ candidates: [] }]])(
    'importResult refuses %j',
    (result) => {
      expect(() => importResult(result, {})).toThrow(/no |best_idx/);
    },
  );
});
