import { describe, expect, test } from 'vitest';
import { createHostFactory } from '../../src/config/hosts.ts';
import { createClock } from '../../src/core/clock.ts';

describe('createHostFactory', () => {
  test('keeps what a plugin keeps across swaps, apart for each agent and plugin', () => {
    const clock = createClock(
      { origin_ms: 1000, scale: 10 },
      { monotonic_ms: () => 5, wall_ms: () => 1001 },
    );
    const hosts = createHostFactory({ clock, engineUrl: (name) => `http://engine/${name}` });
    const counter = hosts.pluginHost('helper', 'cache').keep('count', () => ({ n: 1 }));
    counter.n = 7;
    expect(hosts.pluginHost('helper', 'cache').keep('count', () => ({ n: 1 })).n).toBe(7);
    expect(hosts.pluginHost('helper', 'other').keep('count', () => ({ n: 1 })).n).toBe(1);
    expect(hosts.pluginHost('default', 'cache').keep('count', () => ({ n: 1 })).n).toBe(1);
    expect(hosts.pluginHost('default', 'cache').monotonic_ms()).toBe(5);
    expect(hosts.pluginHost('default', 'cache').policy_ms()).toBe(1010);
    expect(hosts.providerHost('local').engineUrl()).toBe('http://engine/local');
  });
});
