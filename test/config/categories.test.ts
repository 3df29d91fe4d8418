import { describe, expect, test } from 'vitest';
import { compileCategories, ruleProblem } from '../../src/config/categories.ts';
import { problemsOf } from '../../src/config/problems.ts';
import type { Call } from '../../src/core/call.ts';
import type { JsonObject } from '../../src/core/canonical.ts';
import { GATEWAY, load, testPlugins, testProviders } from './world.ts';

const known = { providers: testProviders, plugins: testPlugins() };
const loadWith = (gateway: string) => load({ 'policies/gateway.yaml': gateway });

function call(body: JsonObject, over: Partial<Call> = {}): Call {
  return {
    id: 'call_1',
    request_id: 'r',
    at_ms: Date.UTC(2026, 0, 1, 13),
    tenant: 'acme',
    key: 'ci',
    agent: 'helper',
    unit: 'u:1',
    user: null,
    session: null,
    endpoint: 'chat.completions',
    relayed: {},
    model: 'helper',
    stream: false,
    body,
    raw: Buffer.from(JSON.stringify(body)),
    pinned: null,
    timeout_ms: null,
    ...over,
  };
}

const asks = (content: unknown, more: JsonObject = {}) =>
  call({ messages: [{ role: 'user', content }], ...more } as JsonObject);

const one = (when: string) => {
  const categories = compileCategories({ order: ['yes'], by: { yes: { when } } });
  return (asked: Call) => categories?.of(asked) === 'yes';
};

describe('compileCategories', () => {
  test('compileCategories names the first rule that holds, else other', () => {
    const by = {
      code: { when: 'call.has_code' },
      long: { when: 'call.tokens_in > 100' },
      german: { when: 'call.language == "de"' },
    };
    const categories = compileCategories({ order: ['code', 'long', 'german'], by });
    const of = (asked: Call) => categories?.of(asked);
    expect(of(asks('```js\nlet x = 1;\n```'))).toBe('code');
    expect(of(asks(`\`\`\`x\`\`\` ${'word '.repeat(200)}`))).toBe('code');
    expect(of(asks('word '.repeat(200)))).toBe('long');
    expect(of(asks('Wie kann ich das auf dieser Seite ändern und wo ist der Link?'))).toBe(
      'german',
    );
    expect(of(asks('hello'))).toBe('other');
  });

  test('compileCategories is nothing where there are no rules', () => {
    expect(compileCategories(undefined)).toBeNull();
    expect(compileCategories({ order: [], by: {} })).toBeNull();
  });

  test('compileCategories knows each fact of a call', () => {
    const image = [
      { type: 'image_url', image_url: { url: 'data:,' } },
      { type: 'text', text: 'x' },
    ];
    expect(one('call.images == 1')(asks(image))).toBe(true);
    expect(one('call.images == 0')(asks('x'))).toBe(true);
    expect(one('call.tools == 2')(asks('x', { tools: [{}, {}] }))).toBe(true);
    expect(one('call.hour == 13 && call.tenant == "acme"')(asks('x'))).toBe(true);
    expect(one('call.agent in ["helper", "other"] && !call.stream')(asks('x'))).toBe(true);
    const messages = [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
      { role: 'user', content: [{ type: 'tool_result', content: 'x' }] },
      { role: 'user', content: 'c' },
    ];
    expect(one('call.turn == 2')(call({ messages }))).toBe(true);
    expect(one('call.turn == 1')(call({ input: 'hi' }, { endpoint: 'responses' }))).toBe(true);
  });

  test('compileCategories asks only for facts that a rule names, and each once', () => {
    const asked: string[] = [];
    const watched = new Proxy(asks('hello'), {
      get(target, name) {
        asked.push(String(name));
        return Reflect.get(target, name);
      },
    });
    const by = { a: { when: 'call.tenant == "x"' }, b: { when: 'call.tenant == "y"' } };
    compileCategories({ order: ['a', 'b'], by })?.of(watched);
    expect(asked).toEqual(['tenant']);
  });

  test('compileCategories takes a rule that cannot be evaluated for one that does not hold', () => {
    expect(one('10 / (call.images) > 1')(asks('x'))).toBe(false);
  });
});

describe('ruleProblem', () => {
  test.each([
    ['call.nope', 5, 'call has no nope; it has tokens_in'],
    ['call.tokens_in > "a"', 0, 'no such overload'],
    ['call.hour <', 11, 'Unexpected token'],
    ['call.tenant', 0, 'must be true or false'],
    ['user.name == "x"', 0, 'Unknown variable'],
    ['', 0, ''],
  ])('ruleProblem says of %j at %i: %s', (when, at, message) => {
    expect(ruleProblem(when)).toMatchObject({ at, message: expect.stringContaining(message) });
  });

  test('ruleProblem finds nothing wrong with a rule', () => {
    expect(ruleProblem('call.has_code || call.tokens_in > 4000')).toBeNull();
  });
});

describe('the policy', () => {
  test('the policy holds its categories in their order, and calls are put into them', () => {
    const rules = '[{ name: b, when: "call.stream" }, { name: a, when: "true" }]';
    const { policy } = loadWith(`${GATEWAY}\ncategories: ${rules}\n`);
    expect(policy.categories).toEqual({
      order: ['b', 'a'],
      by: { b: { when: 'call.stream' }, a: { when: 'true' } },
    });
    expect(problemsOf(policy, known)).toEqual([]);
    const wrong = { ...policy, categories: { order: ['a'], by: { a: { when: 'call.x' } } } };
    expect(problemsOf(wrong, known).join()).toContain('call has no x');
  });

  test('the policy without categories says nothing of them', () => {
    expect(loadWith(GATEWAY).policy.categories).toBeUndefined();
  });

  test.each([
    ['  - { name: a, when: "call.stream && call.nope" }', /:3:43 .*call has no nope/],
    ['  - { name: a, when: call.hour > }', /:3:\d+ .*Unexpected token/],
    ['  - { name: other, when: "true" }', /other is what calls are called/],
    ['  - { name: a, when: "true" }\n  - { name: a, when: "true" }', /two categories are called a/],
  ])('the policy says with line and column what is wrong with %j', (rules, message) => {
    const lines = GATEWAY.split('\n');
    const text = [lines[0], 'categories:', rules, ...lines.slice(1)].join('\n');
    expect(() => loadWith(text)).toThrow(message);
  });
});
