import { describe, expect, test } from 'vitest';
import { createTraffic, trafficAt, type Visit } from '../../src/sim/traffic.ts';
import { smallWorld } from './world-kit.ts';

const DAY_MS = 86_400_000;
const shown = ({ luck, ...visit }: Visit) => ({ ...visit, luck: luck.state() });

describe('traffic', () => {
  test('the same seed gives the same visits, however the time is cut', () => {
    const whole = createTraffic(smallWorld(), 1)
      .before(2 * DAY_MS)
      .map(shown);
    const parts = createTraffic(smallWorld(), 1);
    const cut = [parts.before(DAY_MS / 3), parts.before(1.5 * DAY_MS), parts.before(2 * DAY_MS)];
    expect(cut.flat().map(shown)).toEqual(whole);
    expect(whole.length).toBeGreaterThan(300);
    expect(whole.length).toBeLessThan(500);
  });

  test('another population moves no draw of the first', () => {
    const people = { agent: 'helper', count: 50, calls_per_day: 4 };
    const more = smallWorld({ users: { others: { ...people, count: 20 }, people } });
    const own = (visits: readonly Visit[]) =>
      visits.filter(({ users }) => users === 'people').map(shown);
    const alone = createTraffic(smallWorld(), 1).before(DAY_MS);
    expect(own(createTraffic(more, 1).before(DAY_MS))).toEqual(alone.map(shown));
  });

  test('one more user moves no draw of those who were there', () => {
    const users = { people: { agent: 'helper', count: 51, calls_per_day: 4 } };
    const larger = createTraffic(smallWorld({ users }), 1).before(DAY_MS);
    const alone = createTraffic(smallWorld(), 1).before(DAY_MS);
    const old = larger.filter(({ user }) => user !== 'people-50');
    expect(old.map(shown)).toEqual(alone.map(shown));
  });

  test('a season and a surge multiply the rate', () => {
    const { scenario } = smallWorld({
      season: { daily: 0.5, weekly: 0.4, peak_hour: 12 },
      happenings: [{ day: 1, until: 2, users: 'people', traffic: 3 }],
    });
    expect(trafficAt(scenario, 'people', DAY_MS / 2)).toBeCloseTo(1.5);
    expect(trafficAt(scenario, 'people', 0)).toBeCloseTo(0.5);
    expect(trafficAt(scenario, 'people', 1.5 * DAY_MS)).toBeCloseTo(4.5);
    expect(trafficAt(scenario, 'people', 5.5 * DAY_MS)).toBeCloseTo(0.9);
  });
});
