import type { Chance } from './chance.ts';

/** Any JSON value; among them those that real code trips over. */
export function anyValue(chance: Chance, depth = 3): unknown {
  const kind = chance.int(depth > 0 ? 14 : 11);
  // A copy: a later change of it must not be seen by the next case.
  if (kind < 8) return structuredClone(chance.pick(ODD_VALUES));
  if (kind === 8) return chance.text(20);
  if (kind === 9) return (chance.next() - 0.5) * 10 ** chance.int(300);
  if (kind === 10) return 'x'.repeat(chance.int(5000));
  if (kind === 11) return Array.from({ length: chance.int(5) }, () => anyValue(chance, depth - 1));
  const keys = Array.from({ length: chance.int(5) }, () => chance.pick(ODD_KEYS));
  return Object.fromEntries(keys.map((key) => [key, anyValue(chance, depth - 1)]));
}

const ODD_VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -0,
  1,
  -1,
  0.1,
  1e308,
  2 ** 53,
  '',
  ' ',
  '0',
  'true',
  'null',
  [],
  {},
  [[]],
  [null],
  { '': '' },
  '\ud800',
  '\u0000',
  '\u{1f41d}'.repeat(20),
  'data: [DONE]\n\n',
  'user',
  'assistant',
  'system',
  'tool',
  'text',
  'tool_use',
  'thinking',
  'image_url',
  'auto',
  'toString',
  'constructor',
  '__proto__',
  { toString: 1, valueOf: 1 },
  [{ toString: null }],
];
const ODD_KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  '',
  'a',
  'type',
  'role',
  'content',
  'text',
  'id',
  'index',
  'delta',
  'error',
  'message',
  'code',
  'usage',
  'choices',
  'function',
  'name',
  'arguments',
  'input',
  'tool_calls',
  'stream',
  'model',
  'finish_reason',
  'length',
  'valueOf',
  'toJSON',
  'hasOwnProperty',
  'then',
  '\u043a\u043b\u044e\u0447',
  'a\r\nb: c',
];

/** A copy in which a few places hold something else, are gone, or are there twice. */
export function mutateJson(chance: Chance, value: unknown, changes: number): unknown {
  let mutated = structuredClone(value);
  for (let change = 0; change < changes; change += 1) mutated = changeOne(chance, mutated);
  return mutated;
}

function changeOne(chance: Chance, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return anyValue(chance);
  const holder = value as Record<string, unknown>;
  const keys = Object.keys(holder);
  if (keys.length === 0 || chance.maybe(0.15)) {
    if (Array.isArray(value)) return [...value, anyValue(chance)];
    return { ...holder, [chance.pick(ODD_KEYS)]: anyValue(chance) };
  }
  const key = chance.pick(keys);
  if (chance.maybe(0.55)) {
    define(holder, key, changeOne(chance, holder[key]));
  } else if (Array.isArray(value)) {
    const at = Number(key);
    value.splice(at, 1, ...(chance.maybe(0.5) ? [] : [value[at], value[at]]));
  } else {
    delete holder[key];
  }
  return holder;
}

/** As JSON.parse does it: `__proto__` is a key like any other. */
function define(holder: object, key: string, value: unknown): void {
  Object.defineProperty(holder, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

/** Bytes that are nearly the given ones. */
export function mutateBytes(chance: Chance, bytes: Buffer): Buffer {
  if (bytes.length === 0) return chance.bytes(chance.int(20));
  const at = chance.int(bytes.length);
  switch (chance.int(8)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return bytes.subarray(at);
    case 2: {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << chance.int(8));
      return flipped;
    }
    case 3:
      return Buffer.concat([
        bytes.subarray(0, at),
        chance.bytes(chance.int(9)),
        bytes.subarray(at),
      ]);
    case 4:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + chance.int(9))]);
    case 5:
      return Buffer.concat([bytes, bytes]);
    case 6:
      return Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]);
    default:
      return chance.bytes(chance.int(200));
  }
}

/** JSON text with what JSON.stringify never writes: white space, doubled keys, deep nesting. */
export function writeJson(chance: Chance, value: unknown): string {
  const text = JSON.stringify(value) ?? 'null';
  if (chance.maybe(0.9)) return text;
  const odd = [
    () => JSON.stringify(value, null, '\t'),
    () => text.replace('{', '{"model":7,"stream":"no","messages":null,'),
    () => text.replace('{', `{"deep":${'['.repeat(200)}${']'.repeat(200)},`),
    () => text.replace('{', `{"big":${'9'.repeat(400)},"small":1E-999,`),
    () => text.replace('{', '{"\\u006dodel":"default",'),
    () => text.replaceAll('"', "'"),
    () => `${text},`,
    () => `${text}\n${text}`,
    () => text.replaceAll(':', ':\u00a0'),
  ];
  return chance.pick(odd)() ?? text;
}
