import { describe, expect, test } from 'vitest';
import { type AbRecord, agentsInAb } from '../../../src/core/ab/record.ts';
import { entryOf } from './traffic.ts';

const record = (over: Partial<AbRecord>): AbRecord => ({
  id: 'tone@00000000',
  kind: 'ab',
  name: 'tone',
  agent: 'desk',
  state: 'running',
  epoch: 1,
  entry: entryOf(),
  started_ms: 0,
  stopped_ms: null,
  dropped: {},
  verdict: null,
  report: null,
  plan: null,
  no_plan: null,
  ...over,
});

describe('agentsInAb', () => {
  test('names agents whose experiment runs, or goes on serving an arm after its end', () => {
    const on_stop = entryOf({ on_stop: 'friendly' });
    const records = [
      record({ agent: 'a', name: 'one' }),
      record({ agent: 'b', name: 'two', state: 'stopped' }),
      record({ agent: 'c', name: 'three', state: 'stopped', entry: on_stop }),
      record({ agent: 'd', name: 'four', state: 'removed', entry: on_stop }),
    ];
    expect(agentsInAb(records)).toEqual({ a: 'one', c: 'three' });
    expect(agentsInAb()).toEqual({});
  });
});
