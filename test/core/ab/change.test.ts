import { describe, expect, test } from 'vitest';
import { changeOf } from '../../../src/core/ab/change.ts';
import type { AbSet } from '../../../src/core/ab/entry.ts';
import { changeText, numberText } from '../../../src/core/ab/words.ts';
import { POLICY } from '../../oracle/kit.ts';
import { entryOf } from './traffic.ts';

const duoWith = (set: AbSet) =>
  entryOf({ agent: 'duo', arms: { control: { share: 0.5 }, new: { share: 0.5, set } } });
const change = (set: AbSet) => changeOf(POLICY, duoWith(set), 'new');

describe('changeOf', () => {
  test('pins a prompt to the version that its label is at', () => {
    expect(change({ prompt: 'tone@2' })).toEqual({
      type: 'PROMPT_PATCH',
      patch: { agents: { duo: { prompt: 'tone@2' } } },
    });
    expect(change({ prompt: 'tone' })).toMatchObject({
      patch: { agents: { duo: { prompt: 'tone@1' } } },
    });
    expect(change({ prompt: null })).toMatchObject({
      patch: { agents: { duo: { prompt: null } } },
    });
  });

  test('swaps targets by taking out what is gone, and routes by weights alone', () => {
    expect(change({ targets: { bad: 1 } })).toEqual({
      type: 'MODEL_SWAP',
      patch: { agents: { duo: { targets: { demo: null, mini: null, bad: 1 } } } },
    });
    expect(change({ targets: { demo: 0.5, mini: 0.7 } })).toEqual({
      type: 'ROUTE_CHANGE',
      patch: { agents: { duo: { targets: { mini: 0.7 } } } },
    });
    expect(change({ targets: { mini: 1 } })).toBe('several');
  });

  test('sets one kind of knob, and calls more than one several', () => {
    expect(change({ params: { temperature: 1 } })).toMatchObject({ type: 'PARAM_SET' });
    expect(change({ adapter: 'upper' })).toMatchObject({ type: 'LORA_APPLY' });
    expect(change({ plugins: { cache: { ttl_ms: 5 } } })).toMatchObject({ type: 'PARAM_SET' });
    expect(change({ adapter: 'upper', params: { temperature: 1 } })).toBe('several');
    expect(change({})).toBe('none');
    expect(change({ adapter: 'none', params: {} })).toBe('none');
  });
});

describe('words', () => {
  test('write changes as people read them', () => {
    expect(changeText(-0.4249)).toBe('−42.5 %');
    expect(changeText(0)).toBe('+0 %');
    expect(changeText(0.05)).toBe('+5 %');
    expect(changeText(2.1)).toBe('× 3.1');
    expect(changeText(null)).toBe('∞');
    expect(numberText(1234.5)).toBe('1230');
  });
});
