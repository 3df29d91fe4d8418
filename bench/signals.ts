import process from 'node:process';
import { compileCategories } from '../src/config/categories.ts';
import type { Call } from '../src/core/call.ts';
import type { JsonObject } from '../src/core/canonical.ts';
import { createSignals, type SeenCall } from '../src/gateway/signals.ts';

/**
 * What signals cost a call, in microseconds of one core: `node bench/signals.ts`. The texts differ
 * from call to call, so that nothing is remembered; the median of nine rounds is told.
 */
const ROUNDS = 9;
const CALLS = 20_000;
const VARIANTS = 500;
const LINE = 'It is possible to change the password on the page of your account';

interface Case {
  readonly name: string;
  readonly body: (variant: number) => JsonObject;
  readonly answer: (variant: number) => string;
  readonly relation?: SeenCall['relation'];
  readonly categories?: Readonly<Record<string, string>>;
  readonly stream?: boolean;
}

const text = (variant: number, chars: number): string =>
  `${LINE} ${variant}. `.repeat(Math.ceil(chars / LINE.length)).slice(0, chars);
const ask = (variant: number): JsonObject => ({
  model: 'x',
  messages: [{ role: 'user', content: text(variant, 900) }],
});
const turn = (variant: number): JsonObject => ({
  model: 'x',
  messages: [
    { role: 'user', content: `How do I change the password of account ${variant}?` },
    { role: 'assistant', content: text(variant, 600) },
    { role: 'user', content: `No, I meant: how do I change the password of account ${variant}?` },
  ],
});
const format = { type: 'json_schema', json_schema: { schema: { type: 'object' } } };
const json = (variant: number): string =>
  JSON.stringify({ id: variant, lines: Array.from({ length: 12 }, () => LINE) });
const RULES = { code: 'call.has_code', long: 'call.tokens_in > 4000', night: 'call.hour < 6' };

const CASES: readonly Case[] = [
  { name: 'first message, 1 KB in and out', body: ask, answer: (one) => text(one, 1000) },
  { name: 'the same, as 200 pieces', body: ask, answer: (one) => text(one, 1000), stream: true },
  { name: 'turn, 1 KB', body: turn, answer: (one) => text(one, 1000), relation: 'turn' },
  {
    name: 'JSON asked for, 1 KB',
    body: (one) => ({ ...ask(one), response_format: format }),
    answer: json,
  },
  { name: 'first message, 1 MB out', body: ask, answer: (one) => text(one, 1_000_000) },
  {
    name: '1 KB and three categories',
    body: ask,
    answer: (one) => text(one, 1000),
    categories: RULES,
  },
];

function prepare({ body, answer, relation = null, categories, stream }: Case) {
  const rules = Object.entries(categories ?? {});
  const compiled = compileCategories({
    order: rules.map(([name]) => name),
    by: Object.fromEntries(rules.map(([name, when]) => [name, { when }])),
  });
  const few = answer(0).length > 100_000 ? 5 : VARIANTS;
  return Array.from({ length: few }, (_, variant) => {
    const asked = body(variant);
    const call = { endpoint: 'chat.completions', agent: 'default', body: asked } as unknown as Call;
    const whole = answer(variant);
    const size = stream ? Math.ceil(whole.length / 200) : whole.length;
    const pieces = whole.match(new RegExp(`[\\s\\S]{1,${size}}`, 'g')) ?? [];
    const raw = Buffer.from(JSON.stringify(asked));
    return { call: { ...call, raw, at_ms: 0 }, pieces, relation, categories: compiled };
  });
}

function measure(one: Case): number {
  const write = (): void => {};
  const signals = createSignals({ log: { info: write, warn: write, error: write } });
  const prepared = prepare(one);
  const rounds = Array.from({ length: ROUNDS }, () => {
    const begun = process.cpuUsage();
    for (let at = 0; at < CALLS; at += 1) {
      const { call, pieces, relation, categories } = prepared[
        at % prepared.length
      ] as (typeof prepared)[0];
      const said = signals.open(call);
      for (const piece of pieces) said.add({ text: piece });
      signals.observe({
        call,
        relation,
        categories,
        said,
        origin: 'client',
        outcome: 'ok',
        finish: 'stop',
        replied: false,
      });
    }
    const { user, system } = process.cpuUsage(begun);
    return (user + system) / CALLS;
  });
  return rounds.sort((left, right) => left - right)[Math.floor(ROUNDS / 2)] as number;
}

for (const one of CASES) process.stdout.write(`${one.name}: ${measure(one).toFixed(2)} µs\n`);
