import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readEnvironment } from '../../src/config/env.ts';
import { thrownBy } from './world.ts';

describe('readEnvironment', () => {
  test('has a default for everything', () => {
    const environment = readEnvironment({});
    expect(environment).toMatchObject({
      policies_dir: resolve('policies'),
      host: '127.0.0.1',
      port: 8091,
      admin_port: 8092,
      data_dir: resolve('data'),
      database_url: null,
      time_scale: 1,
      role: 'all',
      workers: 1,
      stop_ms: 30_000,
      bus_max: 10_000,
      overrides: [],
      switches: {
        feedback_loop: true,
        oracle: true,
        lora_hotplug: true,
        auto_rollback: true,
        safety_checks: true,
      },
    });
  });

  test('flags win over variables, and variables over defaults', () => {
    const env = { HIVE_PORT: '1000', HIVE_HOST: 'localhost', HIVE_DATA: 'elsewhere' };
    const environment = readEnvironment(env, { port: 2000 });
    expect(environment.port).toBe(2000);
    expect(environment.host).toBe('localhost');
    expect(environment.data_dir).toBe(resolve('elsewhere'));
  });

  test('an empty value counts as unset', () => {
    const environment = readEnvironment({
      HIVE_PORT: '',
      DATABASE_URL: '',
      EVENT_BUS_TYPE: '',
      ORACLE_CONFIDENCE_THRESHOLD: '',
      OPENAI_API_KEY: '',
    });
    expect(environment.port).toBe(8091);
    expect(environment.database_url).toBeNull();
    expect(environment.overrides).toEqual([]);
    expect(environment.secret('OPENAI_API_KEY')).toBeUndefined();
  });

  test('gives secrets by name, and nothing that is not set', () => {
    const environment = readEnvironment({ OPENAI_API_KEY: 'sk' });
    expect(environment.secret('OPENAI_API_KEY')).toBe('sk');
    expect(environment.secret('toString')).toBeUndefined();
  });

  test('turns switches off by their words', () => {
    const { switches } = readEnvironment({
      FEEDBACK_LOOP_ENABLED: 'false',
      ORACLE_SYSTEM_ENABLED: 'FALSE',
      LORA_HOTPLUG_ENABLED: '0',
      ORACLE_AUTO_ROLLBACK: 'true',
    });
    expect(switches).toEqual({
      feedback_loop: false,
      oracle: false,
      lora_hotplug: false,
      auto_rollback: true,
      safety_checks: true,
    });
  });

  test('says what of the policy a variable writes', () => {
    const { overrides } = readEnvironment({
      ORACLE_CONFIDENCE_THRESHOLD: '0.8',
      ORACLE_MAX_MUTATIONS_PER_HOUR: '3',
      CANARY_DEPLOYMENT_PERCENT: '7',
      REQUIRE_APPROVAL_FOR_HIGH_RISK: 'false',
    });
    expect(overrides.map(({ pointer, parsed }) => [pointer, parsed])).toEqual([
      ['/oracle/safety/min_confidence', 0.8],
      ['/oracle/safety/max_mutations_per_hour', 3],
      ['/oracle/safety/canary/share', 0.07],
      ['/oracle/safety/require_approval/risk', 'none'],
    ]);
  });

  test.each([
    [{ HIVE_PORT: 'http' }, 'HIVE_PORT=http is not valid: allowed is a port, 0 to 65535'],
    [{ HIVE_PORT: '70000' }, 'HIVE_PORT=70000 is not valid'],
    [{ HIVE_PORT: '0x10' }, 'HIVE_PORT=0x10 is not valid'],
    [{ HIVE_TIME_SCALE: '0' }, 'HIVE_TIME_SCALE=0 is not valid: allowed is a number above 0'],
    [
      { HIVE_ADMIN_PORT: '8091' },
      'HIVE_ADMIN_PORT=8091 is not valid: allowed is another port than HIVE_PORT',
    ],
    [{ HIVE_ROLE: 'oracle' }, 'HIVE_ROLE=oracle is not valid: allowed is all'],
    [
      { EVENT_BUS_TYPE: 'nats' },
      'EVENT_BUS_TYPE=nats is not valid: allowed is memory (nats is not built yet)',
    ],
    [{ EVENT_BUS_MAX_SIZE: '0' }, 'EVENT_BUS_MAX_SIZE=0 is not valid'],
    [
      { HIVE_REHEARSALS: 'seldom' },
      'HIVE_REHEARSALS=seldom is not valid: allowed is true or false',
    ],
    [
      { FEEDBACK_LOOP_ENABLED: 'ja' },
      'FEEDBACK_LOOP_ENABLED=ja is not valid: allowed is true or false',
    ],
    [{ ORACLE_CONFIDENCE_THRESHOLD: '1.2' }, 'ORACLE_CONFIDENCE_THRESHOLD=1.2 is not valid'],
    [{ ORACLE_MAX_MUTATIONS_PER_HOUR: '1.5' }, 'ORACLE_MAX_MUTATIONS_PER_HOUR=1.5 is not valid'],
    [
      { CANARY_DEPLOYMENT_PERCENT: '0' },
      'CANARY_DEPLOYMENT_PERCENT=0 is not valid: allowed is a number above 0',
    ],
    [
      { REQUIRE_APPROVAL_FOR_HIGH_RISK: 'maybe' },
      'REQUIRE_APPROVAL_FOR_HIGH_RISK=maybe is not valid',
    ],
  ])('refuses %j with one line', (env, wanted) => {
    const error = thrownBy(() => readEnvironment(env));
    expect(error.code).toBe('bad_request');
    expect(error.message).toContain(wanted);
    expect(error.message).not.toContain('\n');
    expect(error.details.param).toBe(Object.keys(env)[0]);
  });

  test('never repeats the password of a database', () => {
    const error = thrownBy(() => readEnvironment({ DATABASE_URL: 'mysql://root:hunter2@db/x' }));
    expect(error.message).toMatch(/^DATABASE_URL is not valid/);
    expect(error.message).not.toContain('hunter2');
  });
});
