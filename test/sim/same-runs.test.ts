import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { instantiate } from '../../src/core/definition.ts';
import type { CallEvent, FeedbackEvent } from '../../src/core/event.ts';
import { analyze } from '../../src/oracle/analyze.ts';
import { detectors } from '../../src/oracle/detectors/index.ts';
import { createCollector } from '../../src/sim/collect.ts';
import { createHost } from '../../src/sim/host.ts';
import { worldPolicy } from '../../src/sim/policy-files.ts';
import { runWorld } from '../../src/sim/run-world.ts';
import { WORLD_BEGIN_MS } from '../../src/sim/traffic.ts';
import { HOST } from '../oracle/kit.ts';
import { smallWorld, TWO_TENANTS } from './world-kit.ts';

const HOUR_MS = 3_600_000;
const world = smallWorld({
  days: 6,
  tick_minutes: 720,
  users: TWO_TENANTS,
  feedback: { delay_minutes: 20, lost: 0.1, unnamed: 0.2 },
  happenings: [{ day: 4.5, model: 'a', latency: 1.5, errors: 0.2, quality: -0.3 }],
});

test('a seed gives the calls, feedback and scores that it has always given', () => {
  const hash = createHash('sha256');
  const report = runWorld(world, {
    seed: 11,
    detectors: [],
    // Of the policy, whose defaults have nothing to do with it, only the choices.
    onEvent: (event) => hash.update(JSON.stringify({ ...event, version: '' })),
  });
  hash.update(JSON.stringify(report));
  // Whoever moves a draw on purpose changes this, and every figure that was ever told of a seed.
  expect(hash.digest('hex')).toBe(
    'ca3585edd7a0b64737fe4bf2302ad88618838bc2725347551ab0dae59bbc0ea4',
  );
});

test('what looks share changes nothing that they find', () => {
  const events: (CallEvent | FeedbackEvent)[] = [];
  runWorld(world, { seed: 3, detectors: [], onEvent: (event) => events.push(event) });
  const collector = createCollector();
  const { policy } = worldPolicy(world.scenario);
  const named = (host: typeof HOST) =>
    [...detectors].map(([name, one]) => ({ name, detect: instantiate(one, {}, host) }));
  const [sharing, forgetting] = [named(createHost(() => 0)), named(HOST)];
  let found = 0;
  // Four looks an hour: three of four find the hours as they were.
  for (let quarter = 4 * 24 * 4; quarter <= 5.5 * 24 * 4; quarter += quarter % 8 === 3 ? 21 : 1) {
    const at_ms = WORLD_BEGIN_MS + (quarter * HOUR_MS) / 4;
    while (events[0] && events[0].at_ms < at_ms) {
      const event = events.shift() as CallEvent | FeedbackEvent;
      if (event.type === 'call') collector.call(event);
      else collector.feedback(event);
    }
    const look = { at_ms, window_hours: 24, version: 'v', policy, since_ms: {}, frozen: [] };
    const observation = collector.observe(look);
    const said = [sharing, forgetting].map((all) => analyze(observation, all, (kind) => kind));
    expect(said[0]).toEqual(said[1]);
    found += said[0]?.findings.length ?? 0;
  }
  expect(found).toBeGreaterThan(5);
});
