import { describe, expect, test } from 'vitest';
import { versionOf } from '../../src/core/fold.ts';
import { load } from './world.ts';

describe('applyOverrides', () => {
  test('environment variables win over safety, and the notice says over what', () => {
    const { policy, notices, origins } = load(
      { 'policies/oracle_policies.yaml': 'safety: { canary: { share: 0.2 } }\n' },
      {
        CLOUD_KEY: 'k',
        CANARY_DEPLOYMENT_PERCENT: '5',
        ORACLE_CONFIDENCE_THRESHOLD: '0.9',
        REQUIRE_APPROVAL_FOR_HIGH_RISK: 'false',
      },
    );
    expect(policy.oracle.safety.canary.share).toBe(0.05);
    expect(policy.oracle.safety.min_confidence).toBe(0.9);
    expect(policy.oracle.safety.require_approval.risk).toBe('none');
    expect(notices).toContain(
      'CANARY_DEPLOYMENT_PERCENT=5 wins over safety.canary.share (0.2 of oracle_policies.yaml)',
    );
    expect(origins.get('/oracle/safety/canary/share')).toBe('CANARY_DEPLOYMENT_PERCENT=5');
  });

  test('REQUIRE_APPROVAL_FOR_HIGH_RISK=true never loosens what the file asks for', () => {
    const risk = (word: string) =>
      load(
        {
          'policies/oracle_policies.yaml': `safety: { require_approval: { risk: ${word} } }\n`,
        },
        { CLOUD_KEY: 'k', REQUIRE_APPROVAL_FOR_HIGH_RISK: 'true' },
      ).policy.oracle.safety.require_approval.risk;
    expect(['low', 'high', 'none'].map(risk)).toEqual(['low', 'high', 'high']);
  });
});

describe('originsOf', () => {
  test('knows where every value came from', () => {
    const { origins } = load({}, { CLOUD_KEY: 'k', LORA_HOTPLUG_ENABLED: 'false' });
    expect(origins.get('/agents/helper/targets/big')).toBe('gateway.yaml:10:21');
    expect(origins.get('/agents/default/targets/big')).toBe('gateway.yaml:13:23');
    expect(origins.get('/plugins/by/cache/options/ttl_ms')).toBe('gateway.yaml:15:38');
    expect(origins.get('/plugins/by/cache/budget_ms')).toBe('default');
    expect(origins.get('/providers/cloud/base_url')).toMatch(
      /gateway.yaml:3:\d+ \(\$\{CLOUD_URL:-/,
    );
    expect(origins.get('/switches/lora_hotplug')).toBe('LORA_HOTPLUG_ENABLED=false');
    expect(origins.get('/resilience/retry/retries')).toBe('default');
  });

  test('a switch is part of the version', () => {
    const off = load({}, { CLOUD_KEY: 'k', SAFETY_CHECKS_ENABLED: 'false' });
    expect(versionOf(off.policy)).not.toBe(versionOf(load().policy));
  });
});
