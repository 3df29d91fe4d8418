import { describe, expect, test } from 'vitest';
import type { Call } from '../../src/core/call.ts';
import { instantiate } from '../../src/core/definition.ts';
import type { UpstreamAnswer } from '../../src/core/provider.ts';
import { definition } from '../../src/providers/embedded.ts';

const options = {
  model: 'models/echo.gguf',
  adapters: { upper: 'models/upper.gguf', reverse: 'models/reverse.gguf' },
};
const URL_UP = 'http://127.0.0.1:4123/local/v1';

function provider(engineUrl: () => string = () => URL_UP) {
  return instantiate(definition, options, { name: 'local', engineUrl });
}

function encode(adapter: string | null, engineUrl?: () => string) {
  const body = { model: 'agent', messages: [] };
  const raw = Buffer.from(JSON.stringify(body));
  const call = {
    endpoint: 'chat.completions',
    body,
    raw,
    stream: false,
  } as unknown as Call;
  return provider(engineUrl).encode({
    call,
    model: 'echo',
    patch: {},
    adapter,
    include_usage: false,
  });
}

function answer(status: number, body: unknown, adapter: string | null): UpstreamAnswer {
  return {
    endpoint: 'chat.completions',
    model: 'echo',
    created_s: 0,
    call_id: 'call_1',
    status,
    headers: {},
    body: Buffer.from(JSON.stringify(body)),
    adapter,
  };
}

describe('embedded', () => {
  test('embedded names its files and what the engine is to serve', () => {
    const parsed = definition.options.parse(options);
    expect(definition.files?.(parsed)).toEqual([
      'models/echo.gguf',
      'models/upper.gguf',
      'models/reverse.gguf',
    ]);
    expect(definition.engine?.(parsed)).toEqual({ ...options, context_tokens: 512, slots: 4 });
  });

  test('embedded follows the engine: no base URL while it is not up', () => {
    let url = '';
    const made = provider(() => url);
    expect(made.base_url).toBe('');
    url = URL_UP;
    expect(made.base_url).toBe(URL_UP);
    expect(made.adapters).toEqual(['upper', 'reverse']);
  });

  test('embedded asks for an adapter in the model’s name', () => {
    expect(encode('upper').path).toBe('/local/v1/chat/completions');
    expect(JSON.parse(Buffer.from(encode('upper').body).toString()).model).toBe('echo:upper');
    expect(JSON.parse(Buffer.from(encode(null).body).toString()).model).toBe('echo');
  });

  test('embedded believes an adapter only where the answer’s model proves it', () => {
    const proven = (model: string) => {
      const decoded = provider().decode(answer(200, { model, choices: [] }, 'upper'));
      return decoded.ok ? decoded.facts.adapter : 'failed';
    };
    expect(proven('echo:upper')).toBe('upper');
    expect(proven('echo')).toBeNull();
    expect(proven('echo:unknown')).toBeNull();
    const chunk = (model: string) =>
      provider()
        .openStream({
          endpoint: 'chat.completions',
          adapter: 'upper',
          model: 'echo',
          created_s: 0,
          call_id: 'call_1',
          include_usage: false,
        })
        .decode(Buffer.from(`data: {"model":"${model}","choices":[]}\n\n`)).facts;
    expect(chunk('echo:upper').adapter).toBe('upper');
    expect(chunk('echo')).not.toHaveProperty('adapter');
  });

  test.each([
    [404, { error: { message: 'gone', type: 'NotFoundError', param: 'model', code: 404 } }],
    [500, { error: { message: 'bad', type: 'server_error', param: null, code: 'adapter_failed' } }],
  ])('embedded takes a %i of an adapter for adapter_unavailable', (status, body) => {
    expect(provider().decode(answer(status, body, 'upper'))).toMatchObject({
      ok: false,
      error: {
        code: 'adapter_unavailable',
        retryable: true,
        counts: false,
        message: body.error.message,
      },
    });
  });

  test('embedded takes the same answers for what they are where no adapter was asked for', () => {
    const gone = { error: { message: 'gone', type: 'NotFoundError', param: 'model', code: 404 } };
    expect(provider().decode(answer(404, gone, null))).toMatchObject({
      error: { code: 'model_not_found' },
    });
    expect(provider().decode(answer(500, { error: { message: 'x' } }, 'upper'))).toMatchObject({
      error: { code: 'upstream_error' },
    });
  });

  test.each([
    {},
    { model: '' },
    { model: 'm', adapters: { none: 'x' } },
    { model: 'm', adapters: { 'a:b': 'x' } },
    { model: 'm', context_tokens: 1 },
    { model: 'm', slots: 0 },
    { model: 'm', slot: 1 },
  ])('embedded refuses the options %j', (bad) => {
    expect(() => instantiate(definition, bad, { name: 'x', engineUrl: () => '' })).toThrow();
  });
});
