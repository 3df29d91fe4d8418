import { describe, expect, test } from 'vitest';
import { fold, valuesBefore } from '../../../src/core/fold.ts';
import type { Row } from '../../../src/core/oracle.ts';
import { touchedPointers } from '../../../src/core/pointer.ts';
import type { Policy } from '../../../src/core/policy.ts';
import { agentsMovedBy } from '../../../src/core/prompt/rows.ts';
import { CONTENTS, POLICY } from '../../oracle/kit.ts';

const D3 = { d3: { ops: [{ op: 'system.append' as const, text: 'Be exact.' }] } };
const LOCKED: Policy = {
  ...POLICY,
  prompts: { tone: { ...POLICY.prompts.tone, protected: ['production'] } as never },
};

/** What the fold says against a row that writes this of the prompts, or null. */
function problemOf(patch: Row['patch'], more: Partial<Row> = {}, policy = POLICY) {
  const touches = touchedPointers({ prompts: patch });
  const row: Row = {
    seq: 1,
    id: 'mut_1',
    rollback_key: 'rollback_1',
    type: 'PROMPT_PATCH',
    agent: '*',
    state: 'applied',
    touches,
    before: valuesBefore(policy, touches),
    patch: { prompts: patch },
    ...more,
  };
  return fold(policy, [row], { ...CONTENTS, ...D3 }).superseded[0]?.reason ?? null;
}

describe('prompt rows', () => {
  test('prompt rows may move a label and add a version with its content', () => {
    expect(problemOf({ tone: { labels: { production: 2 } } })).toBeNull();
    expect(problemOf({ tone: { versions: { 3: 'd3' }, labels: { production: 3 } } })).toBeNull();
    expect(problemOf({ news: { versions: { 1: 'd3' }, labels: {} } })).toBeNull();
  });

  test.each<[Row['patch'], RegExp]>([
    [{ tone: { labels: { production: 9 } } }, /no version 9/],
    [{ tone: { labels: { production: null } } }, /no version null/],
    [{ tone: { labels: { production: '2' } } }, /no version "2"/],
    [{ tone: { versions: { 2: 'd3' } } }, /version 2 of tone never changes/],
    [{ tone: { versions: { 3: 'unknown' } } }, /has no content/],
    [{ tone: { versions: { latest: 'd3' } } }, /no version number/],
    [{ tone: { labels: {} } }, /has its labels already/],
    [{ tone: null }, /no version and no label/],
  ])('prompt rows with %j are refused by every fold', (patch, reason) => {
    expect(problemOf(patch)).toMatch(reason);
  });

  test('prompt rows move no protected label, touch nothing else and are no other type', () => {
    const move = { tone: { labels: { production: 2 } } };
    expect(problemOf(move, {}, LOCKED)).toMatch(/is protected/);
    expect(problemOf(move, { type: 'PARAM_SET' })).toMatch(/is no prompt/);
    expect(problemOf(move, { agent: 'duo' })).toMatch(/not a knob of agent duo/);
    const patch = { agents: { duo: { adapter: 'upper' } } };
    const touches = ['/agents/duo/adapter'];
    const before = { '/agents/duo/adapter': 'none' };
    expect(problemOf({}, { patch, touches, before })).toMatch(/is no prompt/);
  });

  test('prompt rows name the agents that follow the labels they move', () => {
    const agents = {
      a: { ...POLICY.agents.duo, prompt: 'tone' },
      b: { ...POLICY.agents.duo, prompt: 'tone@staging' },
      c: { ...POLICY.agents.duo, prompt: 'tone@2' },
    } as unknown as Policy['agents'];
    const by = (touches: readonly string[]) => agentsMovedBy({ touches }, { agents });
    expect(by(['/prompts/tone/labels/production'])).toEqual(['a']);
    expect(by(['/prompts/tone/labels/staging'])).toEqual(['b']);
    expect(by(['/prompts/tone/versions/3'])).toEqual([]);
  });
});
