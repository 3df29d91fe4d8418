import { describe, expect, test } from 'vitest';
import { captureOf } from '../../src/config/capture-schema.ts';
import { versionOf } from '../../src/core/fold.ts';
import { gatewayWith, linesOf, load } from './world.ts';

const gateway = (bodies: string) =>
  gatewayWith('agents:', `capture: { bodies: ${bodies} }\nagents:`);

describe('capture.bodies', () => {
  test('capture.bodies is off by default, and then nothing of it is in the policy', () => {
    expect(load().policy.capture).toEqual({ feedback_text: true });
    const off = load(gateway('off')).policy;
    expect(versionOf(off)).toBe(versionOf(load().policy));
  });

  test('capture.bodies is a word, or a word with its bounds', () => {
    const { mode: _off, ...bounds } = captureOf('off');
    expect(bounds).toEqual({ share: 0.2, bytes_max: 16_384, kept_max: 400, days: 7 });
    const redacted = load(gateway('redacted')).policy.capture.bodies;
    expect(redacted).toEqual({ mode: 'redacted', ...bounds });
    const own = load(gateway('{ mode: on, share: 1, days: 2 }')).policy.capture.bodies;
    expect(own).toEqual({ ...bounds, mode: 'on', share: 1, days: 2 });
  });

  test.each(['yes', '{ share: 1 }', '{ mode: on, shar: 1 }', '{ mode: on, bytes_max: 1 }'])(
    'capture.bodies is refused as %s',
    (bodies) => {
      expect(linesOf(gateway(bodies)).join('\n')).toMatch(/^gateway.yaml:\d+:\d+ capture.bodies/);
    },
  );
});
