import { describe, expect, test } from 'vitest';
import { checkPolicies } from '../../src/config/check.ts';
import { FILES, GATEWAY, inputOf, makeFolder } from './world.ts';

function check(
  files: Readonly<Record<string, string | null>> = {},
  env: Readonly<Record<string, string>> = { CLOUD_KEY: 'sk-hidden' },
  explain = false,
) {
  return checkPolicies({ ...inputOf(makeFolder({ ...FILES, ...files }), env), explain });
}

describe('checkPolicies', () => {
  test('sums up what would be served', () => {
    const { ok, text } = check();
    expect(ok).toBe(true);
    expect(text).toMatch(/policies: ok\nversion [0-9a-f]{64}\n/);
    expect(text).toContain('agent helper: big (weight 0.8), small (fallback)');
  });

  test('notes what is absent and what a variable overrides', () => {
    const { text } = check({}, { CANARY_DEPLOYMENT_PERCENT: '10' });
    expect(text).toContain('note: provider cloud is absent: CLOUD_KEY is not set');
    expect(text).toContain(
      'note: CANARY_DEPLOYMENT_PERCENT=10 wins over safety.canary.share (0.05 by default)',
    );
  });

  test('lists every problem and is not ok', () => {
    const { ok, text } = check({
      'policies/gateway.yaml': GATEWAY.replace('prompt: tone', 'promt: tone').replace(
        'use: plain',
        'use: plan',
      ),
    });
    expect(ok).toBe(false);
    expect(text).toMatch(/: 2 problems\ngateway.yaml:11:5 agents.helper.promt: unknown key; did/);
  });

  test('reports what only shows when plugins are made', () => {
    const files = { 'policies/gateway.yaml': GATEWAY.replace('ttl_ms: 7', 'ttl_ms: 13') };
    expect(check(files)).toMatchObject({ ok: false, text: expect.stringMatching(/13 is refused/) });
  });

  test('explains each value with its origin, and shows no secret', () => {
    const token = ['$', '{HEADER_TOKEN}'].join('');
    const { text } = check(
      { 'policies/gateway.yaml': GATEWAY.replace('model: big-1', `model: "${token}"`) },
      { CLOUD_KEY: 'sk-hidden', HEADER_TOKEN: 'tok-hidden', ORACLE_MAX_MUTATIONS_PER_HOUR: '3' },
      true,
    );
    expect(text).toContain('/agents/helper/targets/big = 0.8    # gateway.yaml:10:21');
    expect(text).toContain(
      '/oracle/safety/max_mutations_per_hour = 3    # ORACLE_MAX_MUTATIONS_PER_HOUR=3',
    );
    expect(text).toContain('/resilience/retry/retries = 2    # default');
    expect(text).not.toMatch(/sk-hidden|tok-hidden/);
  });
});
