import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Decision } from '../../src/core/call.ts';
import type { CallEvent, JournalRecord } from '../../src/core/event.ts';
import { createLineWriter } from '../../src/events/call-lines.ts';
import { decodeLine, lineOf } from '../../src/events/line.ts';
import { callEvent } from '../kit/events.ts';

const text = fc.constantFrom('a', 'ü"\n', '\u{1f41d}', '\ud800');
const absent = fc.constant(undefined);
const maybe = fc.option(text);
const count = fc.constantFrom(0, 1, 0.25);
const flag = fc.boolean();
const texts = fc.array(text, { maxLength: 2 });
const tokens = fc.record({ in: count, cached: count, out: count, estimated: flag });

/** Typed as all of them: a field that is added must be given here. */
type All<Of> = { readonly [key in keyof Required<Of>]: fc.Arbitrary<Of[key] | undefined> };

const decisionFields: All<Decision> = {
  name: text,
  options: texts,
  probabilities: fc.array(count, { maxLength: 2 }),
  chosen: text,
  intended: text,
  forced: fc.constantFrom(undefined, 'only', 'health'),
  category: fc.oneof(absent, text),
  features: fc.oneof(absent, text),
};
const target = { target: text, outcome: fc.constant('ok' as const), error: maybe };
const eventFields: All<CallEvent> = {
  type: fc.constant('call'),
  v: fc.constant(1),
  id: text,
  request_id: text,
  completion_id: maybe,
  at_ms: count,
  tenant: text,
  key: text,
  agent: text,
  unit: text,
  user: maybe,
  session: maybe,
  parent: maybe,
  relation: fc.constantFrom(null, 'turn', 'retry'),
  version: text,
  experiment: maybe,
  arm: maybe,
  share: fc.option(count),
  decisions: fc.array(fc.record(decisionFields) as fc.Arbitrary<Decision>, { maxLength: 2 }),
  intended: maybe,
  served: maybe,
  adapter: maybe,
  attempts: fc.array(fc.record({ ...target, ttft_ms: fc.option(count), ms: count })),
  escalations: fc.oneof(absent, fc.constant([])),
  ttft_ms: fc.option(count),
  latency_ms: count,
  tokens,
  cost_usd: fc.option(count),
  outcome: fc.constantFrom('ok', 'error'),
  arm_error: flag,
  finish: maybe,
  markers: texts,
  category: fc.oneof(absent, text),
  signals: fc.oneof(absent, fc.record({ chars: count })),
  follow_up: fc.oneof(absent, fc.constant({ class: 'none' } as const)),
  origin: fc.constantFrom('client', 'oracle'),
};
type Changes = Partial<CallEvent>;
/** At most so many fields differ: most neighbours have a half in common. */
const changes = fc
  .shuffledSubarray(Object.keys(eventFields) as (keyof CallEvent)[], { maxLength: 2 })
  .chain((keys) => fc.record(Object.fromEntries(keys.map((key) => [key, eventFields[key]]))))
  .map((given) => given as Changes);

const valuesOf = (field: string) => eventFields[field as keyof CallEvent] as fc.Arbitrary<unknown>;

const asJson = (record: JournalRecord): unknown => JSON.parse(JSON.stringify(record));
const read = (line: string): unknown => decodeLine(Buffer.from(line).subarray(0, -1)).record;

describe('createLineWriter', () => {
  test('createLineWriter writes what lineOf writes, whatever calls have in common', () => {
    fc.assert(
      fc.property(fc.array(changes, { minLength: 1, maxLength: 40 }), (all) => {
        const write = createLineWriter();
        let event = callEvent('call_1');
        for (const change of all) {
          event = { ...event, ...change };
          const line = write(event);
          expect(line).toHaveLength(lineOf(event).length);
          expect(read(line)).toEqual(asJson(event));
        }
      }),
    );
  });

  test.each(Object.keys(eventFields))('createLineWriter does not overlook %s', (field) => {
    const write = createLineWriter();
    write(callEvent('call_1'));
    const given = fc.sample(valuesOf(field), { seed: 7, numRuns: 8 });
    for (const value of given) {
      const event = { ...callEvent('call_1'), [field]: value };
      expect(read(write(event))).toEqual(asJson(event));
    }
  });

  test.each(Object.keys(decisionFields))('createLineWriter does not overlook a %s', (field) => {
    const choice = { options: ['a'], probabilities: [1], chosen: 'a', intended: 'a' };
    const first: Decision = { name: 'n', ...choice };
    const write = createLineWriter();
    write(callEvent('call_1', { decisions: [first] }));
    const values = decisionFields[field as keyof Decision];
    for (const value of fc.sample(values as fc.Arbitrary<unknown>, { seed: 7, numRuns: 8 })) {
      const event = callEvent('call_2', { decisions: [{ ...first, [field]: value }] });
      expect(read(write(event))).toEqual(asJson(event));
    }
  });

  test('createLineWriter sees that a list it was given has changed', () => {
    const write = createLineWriter();
    const markers = ['one'];
    const options = ['a'];
    const decision = { name: 'n', options, probabilities: [1], chosen: 'a', intended: 'a' };
    const event = callEvent('call_1', { markers, decisions: [decision] });
    write(event);
    markers.push('two');
    expect(read(write(event))).toEqual(asJson(event));
    options.push('b');
    expect(read(write(event))).toEqual(asJson(event));
  });

  test('createLineWriter writes other records as lineOf does', () => {
    const report = { type: 'report', id: 'r' } as unknown as JournalRecord;
    expect(createLineWriter()(report)).toBe(lineOf(report));
  });
});
