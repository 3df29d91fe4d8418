import { describe, expect, test } from 'vitest';
import { followUpsSchema } from '../../src/config/follow-ups-schema.ts';
import { gatewayWith, linesOf, load } from './world.ts';

const gateway = (bodies: string) =>
  gatewayWith('agents:', `capture: { bodies: ${bodies} }\nagents:`);
const oracle = (asked: string) => ({
  'policies/oracle_policies.yaml': `follow_ups: ${asked}\n`,
});

describe('follow_ups', () => {
  test('follow_ups is off by default, and on within a budget where a target is named', () => {
    expect(load().policy.oracle).not.toHaveProperty('follow_ups');
    const { follow_ups } = load({ ...gateway('on'), ...oracle('{ target: big }') }).policy.oracle;
    expect(follow_ups).toEqual(followUpsSchema.parse({ target: 'big' }));
    expect(follow_ups?.budget).toEqual({ calls_per_hour: 60, tokens_per_hour: 60_000 });
  });

  test.each([
    ['{ target: bigg }', /no target bigg; did you mean big/],
    ['{ target: big, agents: [helpr] }', /agents.0: there is no agent helpr/],
    ['{ agents: [helper] }', /target/],
    ['{ target: big, budget: { calls_per_hour: 0 } }', /calls_per_hour/],
    ['{ target: big, budget: { calls_per_day: 9 } }', /calls_per_day/],
  ])('follow_ups refuses %s', (asked, wanted) => {
    expect(linesOf({ ...gateway('redacted'), ...oracle(asked) }).join('\n')).toMatch(wanted);
  });

  test('follow_ups needs calls to be kept', () => {
    expect(linesOf(oracle('{ target: big }')).join('\n')).toMatch(/set capture.bodies/);
  });
});
