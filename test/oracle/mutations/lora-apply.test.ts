import { describe, expect, test } from 'vitest';
import { definition } from '../../../src/oracle/mutations/lora-apply.ts';
import { findingFor, kindOf, POLICY, withSwitches } from '../kit.ts';

const kind = kindOf(definition);
const upper = { agents: { solo: { adapter: 'upper' } } };
const reverse = { agents: { solo: { adapter: 'reverse' } } };

describe('lora-apply', () => {
  test('lora-apply proposes the first allowed adapter that a target has', () => {
    const change = kind.propose?.(findingFor('solo'), { policy: POLICY, tried: [] });
    expect(change?.patch).toEqual(upper);
  });

  test('lora-apply goes on to the next one not tried, and ends', () => {
    const finding = findingFor('solo');
    const next = kind.propose?.(finding, { policy: POLICY, tried: [upper] });
    expect(next?.patch).toEqual(reverse);
    expect(kind.propose?.(finding, { policy: POLICY, tried: [reverse, upper] })).toBeNull();
  });

  test('lora-apply has nothing for errors, for an unknown agent, or when switched off', () => {
    const errors = findingFor('solo', { metric: 'error' });
    expect(kind.propose?.(errors, { policy: POLICY, tried: [] })).toBeNull();
    expect(kind.propose?.(findingFor('gone'), { policy: POLICY, tried: [] })).toBeNull();
    const off = withSwitches({ lora_hotplug: false });
    expect(kind.propose?.(findingFor('solo'), { policy: off, tried: [] })).toBeNull();
  });

  test('lora-apply has nothing where no target of the agent has adapters', () => {
    const entry = { ...POLICY.agents.solo, targets: { mini: 1 } } as typeof POLICY.agents.solo;
    const policy = { ...POLICY, agents: { solo: entry } } as typeof POLICY;
    expect(kind.propose?.(findingFor('solo'), { policy, tried: [] })).toBeNull();
  });
});
