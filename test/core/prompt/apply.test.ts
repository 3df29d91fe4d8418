import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../../src/core/canonical.ts';
import { applyPatch } from '../../../src/core/prompt/apply.ts';
import { compilePatch } from '../../../src/core/prompt/compile.ts';
import {
  isRefused,
  type PatchedEndpoint,
  type PromptOp,
  textsOf,
} from '../../../src/core/prompt/version.ts';
import { modelOf } from './model.ts';

const ENDPOINTS: readonly PatchedEndpoint[] = ['chat.completions', 'responses', 'messages'];

function apply(endpoint: PatchedEndpoint, body: JsonObject, ops: readonly PromptOp[]) {
  return applyPatch(endpoint, body, compilePatch({ ops }));
}

/** The body as the upstream would see it, or the refusal. */
function patched(endpoint: PatchedEndpoint, body: JsonObject, ops: readonly PromptOp[]) {
  const fields = apply(endpoint, body, ops);
  return isRefused(fields) ? fields.refused : { ...body, ...fields };
}

// Of few words, so that anchors stand there often; what operations write is in capitals.
const words = fc
  .array(fc.constantFrom('a', 'b', 'ab', 'aba', ' ', '\n\n'), { maxLength: 5 })
  .map((parts) => parts.join(''));
const mark = fc.constantFrom<JsonObject>({}, { cache_control: { type: 'ephemeral' } });
const textPart = fc
  .tuple(words, mark)
  .map(([text, marks]): JsonObject => ({ type: 'text', text, ...marks }));
const content = fc.oneof(words, fc.array(textPart, { maxLength: 3 }));
const image: JsonObject = { type: 'image_url', image_url: { url: 'https://a/b.png' } };
const toolResult: JsonObject = { type: 'tool_result', tool_use_id: 't', content: 'ab' };
const turn: fc.Arbitrary<JsonObject> = fc.oneof(
  fc.record({ role: fc.constantFrom('user', 'assistant'), content }),
  fc.record({
    role: fc.constant('user'),
    content: fc.array(fc.oneof(textPart, fc.constantFrom(image, toolResult)), { maxLength: 3 }),
  }),
  fc.record({ role: fc.constant('tool'), tool_call_id: words, content: words }),
  fc.record({
    role: fc.constant('assistant'),
    content: fc.constant(null),
    tool_calls: fc.constant([{ id: 't', function: { name: 'ab', arguments: '{"a":"ab"}' } }]),
  }),
  fc.record({ type: fc.constant('function_call_output'), call_id: words, output: words }),
);
const tools = fc.constant([{ type: 'function', function: { name: 'ab', description: 'aba' } }]);
const rest = fc.record({ tools, response_format: fc.constant({ type: 'json_object' }) });

const chat = fc
  .tuple(fc.array(fc.record({ role: fc.constantFrom('system', 'developer'), content })), turn, rest)
  .chain(([system, first, more]) =>
    fc.array(turn, { maxLength: 4 }).map((turns): JsonObject => {
      const list = [...system.slice(0, 2), first, ...turns].filter(({ role }) => role);
      return { ...more, messages: list.length > 0 ? list : [{ role: 'user', content: 'a' }] };
    }),
  );
const messages = fc.record(
  { system: content, messages: fc.array(turn, { maxLength: 5 }), tools },
  { requiredKeys: ['messages', 'tools'] },
);
const responses = fc.record(
  { instructions: words, input: fc.oneof(words, fc.array(turn, { maxLength: 5 })), tools },
  { requiredKeys: ['input', 'tools'] },
);
const bodies = {
  'chat.completions': chat,
  messages,
  responses,
} as Record<PatchedEndpoint, fc.Arbitrary<JsonObject>>;
const call = fc
  .constantFrom(...ENDPOINTS)
  .chain((endpoint) => bodies[endpoint].map((body) => ({ endpoint, body })));

const written = fc.constantFrom('ONE', 'TWO', 'A B', 'X\n\nY');
const anchor = fc.constantFrom('a', 'b', 'ab', 'aba');
const anyOp: fc.Arbitrary<PromptOp> = fc.oneof(
  written.map((text): PromptOp => ({ op: 'system.append', text })),
  written.map((text): PromptOp => ({ op: 'system.prepend', text })),
  written.map((text): PromptOp => ({ op: 'user.suffix', text })),
  fc
    .tuple(anchor, fc.oneof(written, anchor), fc.integer({ min: 1, max: 3 }))
    .map(([one, text, expected]): PromptOp => {
      return { op: 'replace', target: 'system', anchor: one, text, expect: expected };
    }),
  fc.tuple(written, written).map(
    ([ask, answer]): PromptOp => ({
      op: 'fewshot.insert',
      at: 'after-system',
      messages: [
        { role: 'user', content: ask },
        { role: 'assistant', content: answer },
      ],
    }),
  ),
);
const ops = fc.array(anyOp, { minLength: 1, maxLength: 4 });

describe('prompt patch', () => {
  test('prompt patch applied to its own result changes nothing', () => {
    fc.assert(
      fc.property(call, ops, ({ endpoint, body }, list) => {
        const once = patched(endpoint, body, list);
        if (typeof once === 'string') return;
        expect(apply(endpoint, once, list)).toBeNull();
      }),
      { numRuns: 1500 },
    );
  });

  test('prompt patch is pure, and gives the same for the same', () => {
    fc.assert(
      fc.property(call, ops, ({ endpoint, body }, list) => {
        const before = JSON.stringify([body, list]);
        const once = JSON.stringify(apply(endpoint, body, list));
        expect(JSON.stringify([body, list])).toBe(before);
        expect(JSON.stringify(apply(endpoint, body, list))).toBe(once);
      }),
      { numRuns: 500 },
    );
  });

  test('prompt patch means what a plain model on parsed JSON means, all or nothing', () => {
    let applied = 0;
    let refused = 0;
    fc.assert(
      fc.property(call, ops, ({ endpoint, body }, list) => {
        // What holds anchors of others, or is said twice, has no simple model.
        fc.pre(list.every((op) => op.op !== 'replace' || /[A-Z]/.test(op.text)));
        const texts = list.flatMap(textsOf);
        fc.pre(new Set(texts).size === texts.length);
        const wanted = modelOf(endpoint, body, list);
        const got = patched(endpoint, body, list);
        if (wanted === null) refused += 1;
        else applied += 1;
        if (wanted === null) expect(typeof got).toBe('string');
        else expect(got).toEqual(wanted);
      }),
      { numRuns: 1500 },
    );
    expect(Math.min(applied, refused)).toBeGreaterThan(100);
  });

  test('prompt patch touches no tool, tool call, tool result, image or marked part', () => {
    fc.assert(
      fc.property(call, ops, ({ endpoint, body }, list) => {
        const fields = apply(endpoint, body, list);
        if (fields === null || isRefused(fields)) return;
        for (const field of Object.keys(fields)) {
          expect(['messages', 'system', 'instructions', 'input']).toContain(field);
        }
        const after = piecesOf({ ...body, ...fields });
        for (const piece of piecesOf(body).filter(isProtected)) expect(after).toContain(piece);
      }),
      { numRuns: 1000 },
    );
  });

  test('prompt patch puts nothing that varies before what is fixed', () => {
    const list: PromptOp[] = [
      { op: 'system.append', text: 'FIXED' },
      { op: 'user.suffix', text: 'TODAY' },
    ];
    const body = { messages: [{ role: 'user', content: 'a' }] };
    const one = patched('chat.completions', body, list) as { messages: Json[] };
    const other = patched('chat.completions', body, [
      list[0] as PromptOp,
      { op: 'user.suffix', text: 'TOMORROW' },
    ]) as { messages: Json[] };
    expect(one.messages[0]).toEqual(other.messages[0]);
    expect(one.messages[1]).toEqual({ role: 'user', content: 'a\n\nTODAY' });
  });

  test('prompt patch keeps a suffix where it was while tools are at work', () => {
    const list: PromptOp[] = [{ op: 'user.suffix', text: 'TODAY' }];
    const asked = { role: 'user', content: 'a' };
    const called = { role: 'assistant', content: [{ type: 'tool_use', id: 't' }] };
    const result = { role: 'user', content: [toolResult] };
    const first = patched('messages', { messages: [asked] }, list) as { messages: Json[] };
    const body = { messages: [asked, called, result] };
    const second = patched('messages', body, list) as { messages: Json[] };
    expect(second.messages).toEqual([first.messages[0], called, result]);
  });

  test.each<[PatchedEndpoint, JsonObject, PromptOp, string]>([
    ['responses', { input: 'a', previous_response_id: 'r' }, example(), 'no_start'],
    ['responses', { input: 'a', conversation: { id: 'c' } }, example(), 'no_start'],
    ['messages', { messages: 'a', system: 7 }, example(), 'malformed'],
    ['messages', { messages: [] }, { op: 'user.suffix', text: 'X' }, 'no_user_turn'],
    ['messages', { messages: {} }, { op: 'user.suffix', text: 'X' }, 'malformed'],
  ])('prompt patch for %s refuses %j', (endpoint, body, op, reason) => {
    expect(patched(endpoint, body, [op])).toBe(reason);
  });

  test('prompt patch is refused where its own text would be its next anchor', () => {
    const op: PromptOp = { op: 'replace', target: 'system', anchor: 'ab', text: 'b' };
    const body = { messages: [{ role: 'system', content: 'aab' }] };
    expect(patched('chat.completions', body, [op])).toBe('anchor_ambiguous');
  });
});

function example(): PromptOp {
  return {
    op: 'fewshot.insert',
    at: 'after-system',
    messages: [
      { role: 'user', content: 'X' },
      { role: 'assistant', content: 'Y' },
    ],
  };
}

/** Every object within a body, as itself. */
function piecesOf(value: Json): readonly JsonObject[] {
  if (value === null || typeof value !== 'object') return [];
  const own = Array.isArray(value) ? [] : [value as JsonObject];
  return [...own, ...Object.values(value).flatMap((inner) => piecesOf(inner as Json))];
}

function isProtected(piece: JsonObject): boolean {
  const { type, role, cache_control, tool_calls } = piece;
  return (
    ['image_url', 'tool_result', 'function', 'function_call_output'].includes(type as string) ||
    role === 'tool' ||
    cache_control !== undefined ||
    tool_calls !== undefined
  );
}
