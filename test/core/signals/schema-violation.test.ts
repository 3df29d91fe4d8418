import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../../src/core/canonical.ts';
import { askedFormat, schemaViolation } from '../../../src/core/signals/schema-violation.ts';

const schema = {
  type: 'object',
  required: ['id', 'tags'],
  additionalProperties: false,
  properties: {
    id: { type: 'integer', minimum: 1 },
    name: { type: ['string', 'null'], maxLength: 5 },
    kind: { enum: ['a', 'b'] },
    tags: { type: 'array', items: { $ref: '#/$defs/tag' }, maxItems: 2 },
    either: { anyOf: [{ type: 'string' }, { type: 'object', required: ['x'] }] },
  },
  $defs: { tag: { type: 'string', minLength: 1 } },
} as const;

const check = (value: unknown): string | null =>
  schemaViolation(typeof value === 'string' ? value : JSON.stringify(value), { schema });

describe('schemaViolation', () => {
  test('schemaViolation finds nothing wrong with an answer that fits', () => {
    expect(check({ id: 1, tags: [] })).toBeNull();
    expect(check({ id: 2, name: null, kind: 'b', tags: ['x'], either: { x: 1 } })).toBeNull();
    expect(check('  {"id": 1, "tags": ["a"]}\n')).toBeNull();
  });

  test.each([
    ['Here it is: {"id": 1}', 'not_json'],
    ['```json\n{"id": 1, "tags": []}\n```', 'not_json'],
    ['', 'not_json'],
    [[], 'type'],
    [{ id: 1 }, 'required'],
    [{ id: '1', tags: [] }, 'type'],
    [{ id: 1.5, tags: [] }, 'type'],
    [{ id: 0, tags: [] }, 'bounds'],
    [{ id: 1, tags: [], extra: 1 }, 'additional'],
    [{ id: 1, tags: [], kind: 'c' }, 'enum'],
    [{ id: 1, tags: [''] }, 'bounds'],
    [{ id: 1, tags: ['a', 'b', 'c'] }, 'bounds'],
    [{ id: 1, tags: [], name: 'too long' }, 'bounds'],
    [{ id: 1, tags: [], either: { y: 1 } }, 'type'],
  ])('schemaViolation says of %j: %s', (value, violation) => {
    expect(check(value)).toBe(violation);
  });

  test('schemaViolation wants an object, and no more, where no schema was given', () => {
    const any = { schema: null };
    expect(schemaViolation('{}', any)).toBeNull();
    expect(schemaViolation('[1]', any)).toBe('not_json');
    expect(schemaViolation('sure!', any)).toBe('not_json');
  });

  test('schemaViolation holds what it cannot check, and ends on schemas that go round', () => {
    const round = { $ref: '#' };
    expect(schemaViolation('{}', { schema: round })).toBeNull();
    const wide = { anyOf: Array.from({ length: 50 }, () => ({ $ref: '#' })) };
    expect(schemaViolation('{}', { schema: wide })).toBeNull();
    expect(schemaViolation('5', { schema: { $ref: 'https://example.com/x' } })).toBeNull();
    expect(schemaViolation('"x"', { schema: { format: 'email', pattern: '(a+)+$' } })).toBeNull();
  });

  test('schemaViolation looks through lists of any length, and not for each element again', () => {
    const words = Array.from({ length: 400 }, (_, at) => `w${at}`);
    const known = { schema: { items: { enum: [...words, { a: [1] }] } } };
    expect(schemaViolation('["w399", {"a": [1]}, "w0"]', known)).toBeNull();
    expect(schemaViolation('["w399", {"a": [2]}]', known)).toBe('enum');
    // Where each of these were looked through for each element, this would take minutes.
    const text = JSON.stringify(Array.from({ length: 2500 }, () => ({})));
    const numbers = Array.from({ length: 1_000_000 }, (_, at) => at);
    for (const wrong of [
      { enum: numbers },
      { type: numbers.map(() => 'null') },
      { const: { a: 'x'.repeat(4_000_000) } },
      { $ref: `#/${'a/'.repeat(1_000_000)}` },
    ]) {
      const items = { anyOf: [wrong, {}] };
      expect(schemaViolation(text, { schema: { items } })).toBeNull();
    }
  });

  test('schemaViolation never throws, whatever the schema and the answer', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (odd, answer) => {
        const of = { type: 'object', properties: { a: odd as Json }, items: odd, enum: odd };
        schemaViolation(JSON.stringify({ a: answer }), { schema: of as JsonObject });
        schemaViolation(JSON.stringify(answer), { schema: of as JsonObject });
      }),
    );
  });
});

test('askedFormat reads the format of each dialect', () => {
  const shape = { type: 'object' };
  const bodies: JsonObject[] = [
    { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: shape } } },
    { text: { format: { type: 'json_schema', name: 'x', schema: shape } } },
    { output_config: { format: { type: 'json_schema', schema: shape } } },
    { output_format: { type: 'json_schema', schema: shape } },
  ];
  for (const body of bodies) expect(askedFormat({ body })).toEqual({ schema: shape });
  expect(askedFormat({ body: { response_format: { type: 'json_object' } } })).toEqual({
    schema: null,
  });
  const others: JsonObject[] = [{}, { response_format: { type: 'text' } }, { text: 'x' }];
  for (const body of others) {
    expect(askedFormat({ body })).toBeNull();
  }
});
