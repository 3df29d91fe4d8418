import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Gate, type Waiting } from '../../../src/gateway/targets/gate.ts';
import { createHandClock } from '../hand-clock.ts';

const open = () => {
  const time = createHandClock();
  return { time, gate: new Gate(time.after) };
};
const limits = { places: 2, queue_ms: 100, queue_max: 3 };

test('gate lets so many in, and the first in line when one leaves', async () => {
  const { gate } = open();
  expect([gate.enter(2), gate.enter(2), gate.enter(2)]).toEqual([true, true, false]);
  const first = gate.wait(limits, Infinity);
  const second = gate.wait(limits, Infinity);
  gate.leave();
  expect(await first?.admitted).toBe(true);
  expect(gate.waiting).toBe(1);
  second?.leave();
  expect(await second?.admitted).toBe(false);
});

test('gate sends away who waited too long, and who finds the line too long', async () => {
  const { gate, time } = open();
  gate.enter(2);
  gate.enter(2);
  const waits = [
    gate.wait(limits, Infinity),
    gate.wait(limits, Infinity),
    gate.wait(limits, Infinity),
  ];
  expect(gate.wait(limits, Infinity)).toBeNull();
  time.advance(100);
  for (const wait of waits) expect(await wait?.admitted).toBe(false);
  expect(gate.waiting).toBe(0);
  expect(time.waiting()).toBe(0);
});

test('gate gives the place back of one that left just as it was let in', async () => {
  const { gate } = open();
  gate.enter(1);
  const waiting = gate.wait({ ...limits, places: 1 }, Infinity);
  gate.leave();
  expect(await waiting?.admitted).toBe(true);
  waiting?.leave();
  waiting?.leave();
  expect(gate.taken).toBe(0);
});

test('gate lets those who join a line that does not end wait only briefly', async () => {
  const { gate, time } = open();
  gate.enter(1);
  const long = { places: 1, queue_ms: 1000, queue_max: 100 };
  const first = gate.wait(long, Infinity);
  time.advance(500);
  const second = gate.wait(long, Infinity);
  time.advance(500);
  expect(await first?.admitted).toBe(false);
  const brief = gate.wait(long, Infinity);
  time.advance(50);
  expect(await brief?.admitted).toBe(false);
  gate.leave();
  expect(await second?.admitted).toBe(true);
  const patient = gate.wait(long, Infinity);
  time.advance(900);
  gate.leave();
  expect(await patient?.admitted).toBe(true);
  expect(time.waiting()).toBe(0);
});

test('gate lets the line in when there are more places', async () => {
  const { gate } = open();
  gate.enter(1);
  const waiting = gate.wait({ ...limits, places: 1 }, Infinity);
  expect(gate.isFull(5)).toBe(false);
  expect(await waiting?.admitted).toBe(true);
});

/** A gate and what its user knows of it, for any order of events. */
const world = (places: number, queue_max: number) => {
  const { gate, time } = open();
  const line: { waiting: Waiting; state: boolean | null }[] = [];
  const known = { inside: 0 };
  const inLine = (state: boolean | null) => line.filter((entry) => entry.state === state).length;
  const acts: Readonly<Record<string, () => void>> = {
    enter() {
      if (gate.enter(places)) known.inside += 1;
    },
    wait() {
      if (!gate.isFull(places)) return;
      const waiting = gate.wait({ places, queue_ms: 50, queue_max }, Infinity);
      expect(waiting === null).toBe(inLine(null) >= queue_max);
      if (waiting === null) return;
      const entry: { waiting: Waiting; state: boolean | null } = { waiting, state: null };
      line.push(entry);
      void waiting.admitted.then((admitted) => {
        entry.state = admitted;
      });
    },
    leave() {
      if (known.inside === 0) return;
      known.inside -= 1;
      gate.leave();
    },
    'give-up': () => line.find(({ state }) => state === null)?.waiting.leave(),
    advance: () => time.advance(30),
  };
  return { gate, acts, known, inLine };
};

test('gate never holds more than its places, nor a line longer than it may be', async () => {
  const holds = async (steps: readonly string[], places: number, queue_max: number) => {
    const { gate, acts, known, inLine } = world(places, queue_max);
    for (const step of steps) {
      acts[step]?.();
      await new Promise(setImmediate);
      expect(gate.taken).toBe(known.inside + inLine(true));
      expect(gate.taken).toBeLessThanOrEqual(places);
      expect(gate.waiting).toBe(inLine(null));
      expect(gate.waiting === 0 || gate.taken === places).toBe(true);
    }
  };
  const step = fc.constantFrom('enter', 'wait', 'leave', 'give-up', 'advance');
  const few = fc.integer({ min: 1, max: 5 });
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 80 }), few, few, holds));
});

test('gate lets the newest of a line that does not end in first, and no one who left', async () => {
  const { gate, time } = open();
  gate.enter(1);
  const long = { places: 1, queue_ms: 1000, queue_max: 1000 };
  gate.wait(long, Infinity);
  time.advance(999);
  gate.wait(long, Infinity);
  time.advance(1);
  const older = gate.wait(long, Infinity);
  const newer = gate.wait(long, Infinity);
  const gone = gate.wait(long, Infinity);
  gone?.leave();
  gate.leave();
  expect(await newer?.admitted).toBe(true);
  time.advance(50);
  expect(await older?.admitted).toBe(false);
  // Those who come and go leave nothing behind.
  for (let one = 0; one < 5000; one += 1) gate.wait(long, Infinity)?.leave();
  expect(gate.waiting).toBe(1);
});
