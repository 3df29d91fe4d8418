import type { OraclePolicy, Policy } from '../../src/core/policy.ts';

/** The oracle's part of a small policy. */
export const oraclePolicy: OraclePolicy = {
  thresholds: {
    performance: {
      response_time: { warning_threshold_ms: 1500, critical_threshold_ms: 3000 },
      success_rate: { target: 0.95 },
    },
    satisfaction: {
      rating: { warning_threshold: 3.5, critical_threshold: 2.5, target: 4.5 },
      dissatisfied: { warning: 0.15, critical: 0.3 },
    },
  },
  safety: {
    max_mutations_per_hour: 10,
    min_confidence: 0.7,
    require_approval: { risk: 'high' },
    approval_hours: 24,
    act: { q_act: 0.001, influence: 0.05 },
    canary: {
      share: 0.05,
      ramp: [0.1, 0.25, 0.5, 1],
      minutes_min: 60,
      units_min: 150,
      days_max: 14,
      step: { minutes: 10, units: 30 },
    },
    rollback: {
      error_rate: 0.15,
      response_time_ms: 10_000,
      complaints: { count: 5, window_minutes: 10 },
    },
  },
  bounds: {
    '/agents/*/adapter': { allow: ['upper'] },
    '/agents/*/prompt': { candidates: ['tone@2'], ops: ['system.append'], tokens_added_max: 10 },
    '/agents/*/targets': { add_from: ['mini'], min_left: 1, step_max: 0.2 },
    '/agents/*/params/temperature': { min: 0, max: 1, step_max: 0.2 },
  },
  gates: ['schema', 'policy'],
};

/** A small whole policy for tests of pure code: two agents, two targets, one prompt. */
export const smallPolicy: Policy = {
  version: 1,
  providers: { local: { use: 'embedded', network: 'public', model: 'models/echo.gguf' } },
  targets: {
    demo: { provider: 'local', fallback_only: false },
    mini: { provider: 'local', fallback_only: false },
  },
  agents: {
    helper: { targets: { demo: 1 }, adapter: 'none', params: { temperature: 0.5 }, plugins: {} },
    other: { targets: { demo: 1, mini: 1 }, adapter: 'none', params: {}, plugins: {} },
  },
  plugins: { order: [], by: {} },
  resilience: {
    timeouts: { connect_ms: 2000, first_token_ms: 15_000, idle_ms: 30_000, total_ms: 600_000 },
    retry: { retries: 2, budget: 0.2, backoff_ms: [250, 8000] },
    breaker: { errors: 0.5, calls_min: 20, failures: 3, open_ms: 10_000 },
    escalation: { most: 2, budget: 1 },
    hedge: 'off',
    overload: { in_flight: 'adaptive', queue_ms: 2000, queue_max: 1000, bytes_max: 1e8 },
    midstream: 'error',
    hold_bytes_max: 1_048_576,
  },
  access: { mode: 'open', keys: {} },
  limits: { body_bytes_max: 4_194_304 },
  capture: { feedback_text: true },
  store: { events_days: 7 },
  prompts: { tone: { versions: { 1: 'd1', 2: 'd2', 3: 'd3' }, labels: { production: 1 } } },
  oracle: oraclePolicy,
  pipeline: { schedule: { every_ms: 60_000, jitter: 0.1 }, stages: { order: [], by: {} } },
  files: {},
  switches: {
    feedback_loop: true,
    oracle: true,
    lora_hotplug: true,
    auto_rollback: true,
    safety_checks: true,
  },
};

export const smallContents = {
  d1: { ops: [{ op: 'system.append', text: 'Be kind.' }] },
  d2: { ops: [{ op: 'system.append', text: 'Be brief and kind.' }] },
  d3: { ops: [{ op: 'system.append', text: 'x'.repeat(400) }] },
} as const;
