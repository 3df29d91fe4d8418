import { describe, expect, test } from 'vitest';
import { enginesOf } from '../../src/config/engines.ts';
import type { Policy } from '../../src/core/policy.ts';
import { providers } from '../../src/providers/index.ts';
import { smallPolicy } from '../core/policy.ts';

const withProviders = (entries: Policy['providers']): Policy => ({
  ...smallPolicy,
  providers: entries,
});

describe('enginesOf', () => {
  test('only embedded providers need an engine, and their paths become absolute', () => {
    const policy = withProviders({
      openai: { use: 'openai', network: 'public', base_url: 'https://api.openai.com/v1' },
      local: {
        use: 'embedded',
        network: 'public',
        model: 'models/echo.gguf',
        adapters: { upper: '/elsewhere/upper.gguf' },
      },
    });
    expect(enginesOf(policy, providers, '/srv/hive/policies')).toEqual({
      local: {
        model: '/srv/hive/models/echo.gguf',
        adapters: { upper: '/elsewhere/upper.gguf' },
        context_tokens: 512,
        slots: 4,
      },
    });
  });

  test('a policy without an embedded provider needs no engine', () => {
    const policy = withProviders({ openai: { use: 'openai', network: 'public' } });
    expect(enginesOf(policy, providers, '/srv/hive/policies')).toEqual({});
  });
});
