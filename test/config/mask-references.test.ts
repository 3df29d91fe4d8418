import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { maskReferences, unmaskReferences } from '../../src/config/mask-references.ts';

describe('maskReferences', () => {
  test('makes YAML of references in flow maps, each as long as before', () => {
    const text = `{ a: \${KEY}, b: [\${B:-1,2}, \${C:-[x]}], c: "\${D}" }`;
    expect(() => parse(text) as unknown).toThrow();
    const masked = maskReferences(text);
    expect(masked).toHaveLength(text.length);
    const { a, b } = parse(masked) as { a: string; b: string[] };
    expect(unmaskReferences(a)).toBe(`\${KEY}`);
    expect(b.map(unmaskReferences)).toEqual([`\${B:-1,2}`, `\${C:-[x]}`]);
  });

  test('leaves what is no reference', () => {
    const text = `{ a: { b: 1 }, c: "$ {X} \${1} \${}", d: "\${X` + '\n}" }';
    expect(maskReferences(text)).toBe(text);
  });

  test('leaves a text that has masks of its own', () => {
    const text = `a: "\u{e202}"\nb: \${X}\n`;
    expect(maskReferences(text)).toBe(text);
  });

  test('is undone by unmaskReferences, whatever the text', () => {
    const bits = fc.constantFrom(
      `\${`,
      '}',
      `\${A}`,
      `\${B:-`,
      '{',
      ',',
      '[',
      ':-',
      '\u{e200}',
      'x',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(bits), (parts) => {
        const text = parts.join('');
        const masked = maskReferences(text);
        expect(masked).toHaveLength(text.length);
        if (masked !== text) expect(unmaskReferences(masked)).toBe(text);
      }),
    );
  });
});
