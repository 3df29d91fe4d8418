import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { silentLog } from '../../../src/core/log.ts';
import { stopOnSignals } from '../../../src/gateway/processes/stop-signals.ts';
import { until } from '../../kit/until.ts';
import { createHandClock } from '../hand-clock.ts';

/** A process that only notes how it was ended. */
function processOf() {
  const events = new EventEmitter();
  const codes: number[] = [];
  const ending = { on: events.on.bind(events), exit: (code: number) => void codes.push(code) };
  return { ending, codes, signal: (name: string) => events.emit(name) };
}

function watched(stop: () => Promise<void>) {
  const { ending, codes, signal } = processOf();
  const time = createHandClock();
  let released = 0;
  const leave = stopOnSignals(ending, {
    signals: ['SIGTERM', 'SIGINT'],
    stop,
    release: () => {
      released += 1;
    },
    log: silentLog,
    monotonic_ms: () => time.clock.monotonic_ms(),
  });
  return { codes, signal, time, leave, released: () => released };
}

const never = () => new Promise<void>(() => {});

describe('stopOnSignals', () => {
  test.each(['SIGTERM', 'SIGINT'])('%s ends in order, with code 0', async (name) => {
    let stops = 0;
    const { codes, signal } = watched(async () => {
      stops += 1;
    });
    signal(name);
    await until(() => codes.length > 0, { what: 'the end' });
    expect([codes, stops]).toEqual([[0], 1]);
  });

  test('an end that is not in order has code 1', async () => {
    const { codes, signal } = watched(() => Promise.reject(new Error('stuck')));
    signal('SIGTERM');
    await until(() => codes.length > 0, { what: 'the end' });
    expect(codes).toEqual([1]);
  });

  test('a second SIGTERM ends at once and leaves no lock behind', () => {
    const { codes, signal, released } = watched(never);
    signal('SIGTERM');
    expect(codes).toEqual([]);
    signal('SIGTERM');
    expect([codes, released()]).toEqual([[1], 1]);
  });

  test('a Ctrl-C that comes twice is one, and a second a while later ends at once', () => {
    const { codes, signal, time } = watched(never);
    signal('SIGINT');
    signal('SIGINT');
    expect(codes).toEqual([]);
    time.advance(600);
    signal('SIGINT');
    expect(codes).toEqual([1]);
  });

  test('who asks otherwise counts as the first to ask', () => {
    const { codes, signal, leave } = watched(never);
    leave();
    signal('SIGTERM');
    expect(codes).toEqual([1]);
  });
});
