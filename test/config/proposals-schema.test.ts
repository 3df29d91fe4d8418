import { describe, expect, test } from 'vitest';
import { promptProposalsSchema } from '../../src/config/proposals-schema.ts';
import { gatewayWith, linesOf, load } from './world.ts';

const gateway = (bodies: string) =>
  gatewayWith('agents:', `capture: { bodies: ${bodies} }\nagents:`);
const oracle = (prompt: string) => ({
  'policies/oracle_policies.yaml': `proposals:\n  prompt: ${prompt}\n`,
});
const MINIMAL = '{ target: big, checks: [{ chars_max: 400 }] }';

describe('proposals.prompt', () => {
  test('proposals.prompt is off by default, and on where a target is named', () => {
    expect(load().policy.oracle).not.toHaveProperty('proposals');
    const { proposals } = load({ ...gateway('redacted'), ...oracle(MINIMAL) }).policy.oracle;
    expect(proposals?.prompt).toMatchObject({
      target: 'big',
      budget: { calls_per_day: 100, tokens_per_day: 200_000 },
      ops: ['system.append'],
      label: 'proposed',
      failures_max: 2,
      pairs_min: 12,
    });
  });

  test.each([
    ['{ target: bigg, checks: [{ json: true }] }', /no target bigg; did you mean big/],
    ['{ agent: helpr, checks: [{ json: true }] }', /no agent helpr; did you mean helper/],
    ['{ target: big, judge: smal }', /judge: there is no target smal/],
    ['{ target: big, agents: [helpr], judge: big }', /agents.0: there is no agent helpr/],
    ['{ target: big }', /name a judge or checks/],
    ['{ checks: [{ json: true }] }', /name a target or an agent/],
    ['{ target: big, agent: helper, judge: big }', /name a target or an agent/],
    ['{ target: big, judge: big, label: production }', /production is for people/],
    ['{ target: big, judge: big, budget: { usd_per_day: 1 } }', /usd_per_day needs a price/],
    ['{ target: big, checks: [{ json: true, chars_max: 3 }] }', /one check an entry/],
    ['{ target: big, judge: big, pairs_min: 50, pairs_max: 20 }', /pairs_min is more/],
    ['{ target: big, judge: big, ops: [fewshot.insert] }', /ops/],
    ['{ target: big, judge: big, budgett: {} }', /unknown key budgett|budgett/],
  ])('proposals.prompt refuses %s', (prompt, wanted) => {
    expect(linesOf({ ...gateway('redacted'), ...oracle(prompt) }).join('\n')).toMatch(wanted);
  });

  test('proposals.prompt has a default for all but who reflects and what decides', () => {
    const given = { agent: 'helper', judge: 'big' };
    expect(promptProposalsSchema.parse(given)).toMatchObject({ ...given, checks: [] });
  });

  test('proposals.prompt needs samples to reflect on', () => {
    expect(linesOf(oracle(MINIMAL)).join('\n')).toMatch(/set capture.bodies in gateway.yaml/);
  });
});
