import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/canonical.ts';
import { chatToMessages } from '../../../src/core/translate/chat-request.ts';
import { closed, enforced, isStrict } from '../../../src/core/translate/strict-schema.ts';

const object = (properties: object, more: object = {}): JsonObject =>
  ({ type: 'object', properties, ...more }) as JsonObject;
const strict = (properties: object) =>
  object(properties, { additionalProperties: false, required: Object.keys(properties) });
const TEXT = { type: 'string' };
const LOOSE = object({ a: TEXT }, { additionalProperties: false });

describe('strict schema', () => {
  test.each<[string, JsonObject, boolean]>([
    ['a text', TEXT, true],
    ['an object of which nothing is known', { type: 'object' }, true],
    ['an object that requires all', strict({ a: TEXT }), true],
    ['an optional property', LOOSE, false],
    ['one in a list', { type: 'array', items: LOOSE }, false],
    ['one in a choice', strict({ a: { anyOf: [LOOSE, TEXT] } }), false],
    ['one in a definition', { ...strict({}), $defs: { b: LOOSE } }, false],
    ['a strict one in a choice', strict({ a: { anyOf: [strict({}), { type: 'null' }] } }), true],
    ['a property that is called properties', strict({ properties: TEXT }), true],
    ['a format that both know', strict({ a: { ...TEXT, format: 'date' } }), true],
    ['a format that Anthropic alone knows', strict({ a: { ...TEXT, format: 'uri' } }), false],
    ['a property that is called default', strict({ default: TEXT, allOf: TEXT }), true],
    ['a default', strict({ a: { ...TEXT, default: 'b' } }), false],
    ['all of several', strict({ a: { allOf: [TEXT] } }), false],
    ['a value that looks like a schema', strict({ a: { const: { default: 1 } } }), true],
  ])('strict schema: %s', (_, schema, expected) => {
    expect(isStrict(schema)).toBe(expected);
  });

  test('strict schema of any depth is judged without a fault', () => {
    let schema: JsonObject = TEXT;
    for (let depth = 0; depth < 10_000; depth++) schema = { type: 'array', items: schema };
    expect(isStrict(schema)).toBe(false);
    expect(closed(schema)).toMatchObject({ type: 'array' });
  });

  test('closed schema closes each object that does not say, and changes nothing else', () => {
    const inner = object({ b: TEXT }, { default: { type: 'object' } });
    const given = object(
      { list: { type: 'array', items: inner }, items: TEXT },
      { $defs: { inner } },
    );
    const shut = { ...inner, additionalProperties: false };
    expect(closed(given)).toEqual({
      ...object({ list: { type: 'array', items: shut }, items: TEXT }, { $defs: { inner: shut } }),
      additionalProperties: false,
    });
    const open = object({}, { additionalProperties: TEXT });
    expect(closed(open)).toEqual(open);
    expect(closed(strict({ a: TEXT }))).toEqual(strict({ a: TEXT }));
  });

  test('enforced schema says in words what the provider refuses to hold an answer to', () => {
    const age = { type: 'integer', minimum: 0, multipleOf: 2, description: 'Years.' };
    const list = { type: 'array', items: age, minItems: 3, maxItems: 9, uniqueItems: true };
    const schema = strict({ age, list, name: { type: 'string', minLength: 1, pattern: '^a' } });
    expect(enforced(schema)).toEqual(
      strict({
        age: { type: 'integer', description: 'Years. {minimum: 0, multipleOf: 2}' },
        list: {
          type: 'array',
          items: { type: 'integer', description: 'Years. {minimum: 0, multipleOf: 2}' },
          description: '{minItems: 3, maxItems: 9, uniqueItems: true}',
        },
        name: { type: 'string', pattern: '^a', description: '{minLength: 1}' },
      }),
    );
  });

  test('enforced schema keeps what is held to, and properties called like keywords', () => {
    const kept = strict({
      minimum: TEXT,
      maxLength: { type: 'array', items: TEXT, minItems: 1 },
      format: { type: 'string', format: 'date', enum: ['a'], default: { minimum: 1 } },
    });
    expect(enforced(kept)).toEqual(kept);
    expect(enforced({ ...strict({}), $defs: { n: { type: 'number', maximum: 1.5 } } })).toEqual({
      ...strict({}),
      $defs: { n: { type: 'number', description: '{maximum: 1.5}' } },
    });
  });
});

function translate(chat: object) {
  const { body, notes } = chatToMessages({ messages: [], ...chat } as JsonObject, 'm');
  return { body: body as Record<string, unknown>, notes: notes.map(({ subject }) => subject) };
}

test('chat completion’s strict tool is none where its bounds would be refused', () => {
  const parameters = { type: 'object', properties: { n: { type: 'number', minimum: 0 } } };
  const tool = (more: object) => ({
    type: 'function',
    function: { name: 'a', parameters, ...more },
  });
  const loose = { name: 'a', input_schema: parameters };
  expect(translate({ tools: [tool({ strict: true })] })).toMatchObject({
    body: { tools: [loose] },
    notes: ['tools.strict'],
  });
  expect(translate({ tools: [tool({ strict: true })] }).body.tools).toEqual([loose]);
  expect(translate({ tools: [tool({})] }).notes).toEqual([]);
});

test('chat completion’s bounds of an answer are said to the model, which is named', () => {
  const schema = strict({});
  const most = { ...schema, properties: { n: { type: 'integer', maximum: 5 } } };
  const bound = { type: 'json_schema', json_schema: { name: 'x', schema: most, strict: true } };
  expect(translate({ response_format: bound })).toMatchObject({
    body: { output_config: { format: { schema: { properties: { n: { type: 'integer' } } } } } },
    notes: ['response_format.schema'],
  });
});
