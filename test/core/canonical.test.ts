import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  canonicalJson,
  digestOf,
  sameJson,
  sha256,
  sha256Stream,
} from '../../src/core/canonical.ts';

describe('canonicalJson', () => {
  test('canonicalJson writes the example of RFC 8785 §3.2.3 in its key order', () => {
    const value = {
      '€': 'Euro',
      '\r': 'CR',
      '\ufb33': 'Hebrew',
      '1': 'One',
      '😀': 'Smile',
      ö: 'o',
    };
    expect(Object.keys(JSON.parse(canonicalJson(value)) as object)).toHaveLength(6);
    expect(canonicalJson(value)).toBe(
      '{"\\r":"CR","1":"One","ö":"o","€":"Euro","😀":"Smile","\ufb33":"Hebrew"}',
    );
  });

  test('canonicalJson reads back as the same JSON, whatever the order of the keys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(reversed(value))).toBe(text);
      }),
    );
  });

  test('canonicalJson leaves out undefined members and refuses what JSON cannot hold', () => {
    expect(canonicalJson({ b: undefined, a: [undefined, 1] })).toBe('{"a":[null,1]}');
    expect(() => canonicalJson({ a: Number.NaN })).toThrow('NaN is not a JSON number');
  });

  test('sameJson takes 1.0 of a Python client for 1', () => {
    expect(sameJson(JSON.parse('{"a":1.0,"b":2}'), { b: 2, a: 1 })).toBe(true);
    expect(sameJson({ a: 1 }, { a: 1, b: null })).toBe(false);
  });

  test('digestOf names equal data alike, and a stream of parts like the whole', () => {
    expect(digestOf({ a: 1, b: 2 })).toBe(digestOf({ b: 2, a: 1 }));
    const stream = sha256Stream();
    stream.update('he');
    stream.update(Buffer.from('llo'));
    expect(stream.digest()).toBe(sha256('hello'));
  });
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}
