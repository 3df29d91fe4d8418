import { afterEach, describe, expect, test } from 'vitest';
import type { RunningGateway } from '../gateway/gateway-kit.ts';
import { openAiAt } from '../gateway/snapshot.ts';
import { openRaw, parseAnswer, requestBytes } from '../kit/raw-http.ts';
import { answer, startUpstream, status, type Upstream } from '../kit/upstream.ts';
import { askChat, CHAT, chatBody, expectOpenAiError, ONCE, serve } from './contract-kit.ts';

let gateway: RunningGateway;
const upstreams: Upstream[] = [];

const upstreamOf = async (...script: Parameters<typeof startUpstream>) => {
  const upstream = await startUpstream(...script);
  upstreams.push(upstream);
  return upstream;
};
afterEach(async () => {
  await gateway.close();
  await Promise.all(upstreams.splice(0).map((upstream) => upstream.close()));
});

/** Every field of OpenAI's chat completions, with values that a parser would change. */
const EVERYTHING = `{
  "messages" : [ {"role":"developer","content":"be brief"},
    {"role":"user","content":[{"type":"text","text":"h\\u00e9 \\ud83d\\udc1d"},
      {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"low"}},
      {"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}},
      {"type":"file","file":{"file_id":"f_1"}}]},
    {"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function",
      "function":{"name":"f","arguments":"{\\"a\\": 1.0}"}}],"reasoning_content":"thought"},
    {"role":"tool","tool_call_id":"c1","content":"7"} ],
  "model":"default",
  "tools":[{"type":"function","function":{"name":"f","strict":true,"parameters":{"type":"object"}}},
    {"type":"custom","custom":{"name":"grammar"}}],
  "tool_choice":{"type":"function","function":{"name":"f"}}, "parallel_tool_calls":false,
  "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}},
  "stream_options":null, "metadata":{"a":"b"}, "logprobs":true, "top_logprobs":5, "n":2,
  "logit_bias":{"50256":-100}, "seed":9223372036854775807, "max_completion_tokens":1e2,
  "prediction":{"type":"content","content":"x"}, "reasoning_effort":"low", "verbosity":"low",
  "service_tier":"flex", "modalities":["text","audio"], "audio":{"voice":"a","format":"wav"},
  "store":null, "user":null, "stop":["\\n"], "temperature":0.10, "top_p":1.0,
  "frequency_penalty":-0, "presence_penalty":0.0, "prompt_cache_key":"k", "web_search_options":{},
  "x_unknown":{"nested":[null,{"deep":18446744073709551615}]}, "another":null
}`;

describe('4a Request', () => {
  test('4a accepts all OpenAI fields and forwards known and unknown untouched', async () => {
    const upstream = await upstreamOf(answer('ok'));
    gateway = await serve({ targets: { main: upstream.url } });
    const { status: code } = await askChat(gateway.port, EVERYTHING);
    expect(code).toBe(200);
    const sent = upstream.calls[0]?.raw.toString('utf8');
    expect(sent).toBe(EVERYTHING.replace('"model":"default"', '"model":"model-main"'));
  });

  test.each<readonly [string, string | null]>([
    ['{"model":"default","messages":[],"__proto__":{"polluted":1}}', null],
    ['{"constructor":{"prototype":{"polluted":1}},"model":"default","messages":[]}', null],
    ['{"model":"default","messages":[{"role":"user","__proto__":{"polluted":1}}]}', null],
    [' \t\r\n{"mod\\u0065l":"default","messages":[{"role":"user","content":"\\ud83d"}]}\n ', null],
    // Of a field that is set only one is left: nobody can take the other for it.
    [
      '{"model":"none","messages":[],"model":"default","n":1,"n":2}',
      '{"messages":[],"model":"model-main","n":1,"n":2}',
    ],
  ])('4a forwards %j as it is, which changes nothing here', async (body, sent) => {
    const upstream = await upstreamOf(answer('ok'));
    gateway = await serve({ targets: { main: upstream.url } });
    const before = Object.getOwnPropertyNames(Object.prototype);
    expect((await askChat(gateway.port, body)).status).toBe(200);
    const expected = sent ?? body.replace('"default"', '"model-main"');
    expect(upstream.calls[0]?.raw.toString('utf8')).toBe(expected);
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test('4a forwards them in a stream, where only stream_options gains a field', async () => {
    const upstream = await upstreamOf(answer('ok'));
    gateway = await serve({ targets: { main: upstream.url } });
    const asked = EVERYTHING.replace('"stream_options":null', '"stream":true');
    await askChat(gateway.port, asked);
    const { stream_options, ...rest } = upstream.calls[0]?.body ?? {};
    const { model, ...given } = JSON.parse(asked) as Record<string, unknown>;
    expect(stream_options).toEqual({ include_usage: true });
    expect(rest).toEqual({ ...given, model: 'model-main' });
    expect(upstream.calls[0]?.raw.toString()).toContain('18446744073709551615');
    expect(model).toBe('default');
  });

  test('4a answers 413 in OpenAI’s shape over the limit, however it is announced', async () => {
    const upstream = await upstreamOf(answer('ok'));
    gateway = await serve({ targets: { main: upstream.url }, body_bytes_max: 1000 });
    const body = chatBody({ pad: 'x'.repeat(2000) });
    const announced = await askChat(gateway.port, body);
    const chunked = await openRaw(
      gateway.port,
      requestBytes({
        path: CHAT,
        headers: { 'transfer-encoding': 'chunked' },
        body: `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
      }),
    );
    await chunked.closed;
    for (const refused of [announced, parseAnswer(chunked.bytes())]) {
      expect(refused.status).toBe(413);
      expect(expectOpenAiError(refused).code).toBe('body_too_large');
      expect(refused.header('x-request-id')).not.toBeNull();
    }
    expect(upstream.requests).toEqual([]);
  });

  test('4a sends only allowed headers upstream, with the provider’s key', async () => {
    const upstream = await upstreamOf(answer('ok'));
    gateway = await serve({ targets: { main: upstream.url } });
    await askChat(gateway.port, chatBody(), {
      authorization: 'Bearer gateway-key',
      'x-api-key': 'gateway-key',
      'api-key': 'gateway-key',
      'proxy-authorization': 'Basic gateway-key',
      cookie: 'session=secret',
      connection: 'close, x-hop',
      'x-hop': 'secret',
      te: 'trailers',
      'x-forwarded-for': '10.0.0.1',
      'x-hive-timeout-ms': '5000',
      'x-hive-store': 'no',
      'x-agent-id': 'default',
      'x-user-id': 'secret',
      'x-session-id': 'secret',
      'x-stainless-lang': 'js',
      'accept-encoding': 'gzip, br',
      'x-anything': 'secret',
    });
    const call = upstream.calls[0];
    const raw = JSON.stringify(call?.raw_headers);
    expect(call?.headers.authorization).toBe('Bearer sk-upstream');
    expect(raw).not.toMatch(/secret|gateway-key|10\.0\.0\.1/);
    expect(raw.toLowerCase()).not.toMatch(
      /"x-(hive|agent|user|session|forwarded|stainless|any|hop)/,
    );
    expect(call?.headers['accept-encoding'] ?? 'identity').toBe('identity');
    expect(call?.headers.host).toBe(`127.0.0.1:${upstream.port}`);
    expect(call?.headers['content-type']).toBe('application/json');
  });

  test('4a never sends one provider’s key to the fallback’s', async () => {
    const broken = await upstreamOf(status(500));
    const good = await upstreamOf(answer('ok'));
    gateway = await serve({
      targets: {
        first: { provider: openAiAt(broken.url, 'sk-first') },
        second: { provider: openAiAt(good.url, 'sk-second') },
      },
    });
    expect((await askChat(gateway.port)).status).toBe(200);
    expect(broken.calls[0]?.headers.authorization).toBe('Bearer sk-first');
    expect(good.calls[0]?.headers.authorization).toBe('Bearer sk-second');
    expect(JSON.stringify(good.calls[0]?.raw_headers)).not.toContain('sk-first');
  });

  test('4a takes the upstream’s host from policy only, whatever a client names', async () => {
    const upstream = await upstreamOf(answer('ok'));
    const canary = await upstreamOf(answer('stolen'));
    gateway = await serve({ targets: { main: upstream.url } });
    const names = ['api_base', 'base_url', 'api_url', 'custom_host', 'endpoint', 'user_config'];
    const body = chatBody(Object.fromEntries(names.map((name) => [name, canary.url])));
    const headers = ['x-portkey-custom-host', 'x-custom-host', 'x-base-url', 'x-forwarded-host'];
    await askChat(
      gateway.port,
      body,
      Object.fromEntries(headers.map((name) => [name, `127.0.0.1:${canary.port}`])),
    );
    expect(upstream.calls.length).toBe(1);
    expect(canary.requests).toEqual([]);
  });

  test.each(['127.0.0.1', 'localhost', '[::1]', '0.0.0.0', '127.1', '2130706433'])(
    '4a refuses the private address %s after its resolution, unless policy names it private',
    async (host) => {
      const upstream = await upstreamOf(answer('stolen'));
      const url = `http://${host}:${upstream.port}/v1`;
      gateway = await serve({ targets: { main: { url, network: 'public' } }, resilience: ONCE });
      const got = await askChat(gateway.port);
      expect(got.status).toBe(502);
      expectOpenAiError(got);
      expect(got.body.toString()).not.toMatch(/127\.0\.0\.1|::1/);
      expect(upstream.requests).toEqual([]);
    },
  );

  test('4a reads x-stainless-retry-count as a retry signal, and its 0 as none', async () => {
    const upstream = await upstreamOf([status(500), answer('ok')]);
    gateway = await serve({ targets: { main: upstream.url }, resilience: ONCE });
    await askChat(gateway.port, chatBody(), { 'x-stainless-retry-count': '0' });
    const first = await gateway.event(1);
    await askChat(gateway.port, chatBody(), { 'x-stainless-retry-count': '1' });
    const second = await gateway.event(2);
    expect(first.relation).toBeNull();
    expect(second).toMatchObject({ relation: 'retry', parent: first.id });
  });
});
