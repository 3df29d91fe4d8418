import type { Call } from '../src/core/call.ts';
import type { JsonObject } from '../src/core/canonical.ts';
import { instantiate } from '../src/core/definition.ts';
import type { Scope } from '../src/core/plugin.ts';
import { spliceBody } from '../src/core/splice.ts';
import { definition } from '../src/plugins/prompt-patcher.ts';

/**
 * What the prompt patcher costs a call, in microseconds: the hook, and the splice of the body that
 * it causes. `node bench/prompt-patcher.ts`; compare rows of one run only.
 */
const ROUNDS = 2_000;
const PARTS = 20;

const text = 'Answer briefly and kindly. Say first what the user should do, then why.';
const append = { ops: [{ op: 'system.append' as const, text }] };
const whole = {
  ops: [
    ...append.ops,
    { op: 'system.prepend' as const, text: 'You are the support desk.' },
    { op: 'replace' as const, target: 'system' as const, anchor: 'helpful', text: 'careful' },
    { op: 'user.suffix' as const, text: 'Answer in English.' },
  ],
};

function bodyOf(turns: number): JsonObject {
  const messages: JsonObject[] = [{ role: 'system', content: 'You are a helpful assistant.' }];
  for (let turn = 0; turn < turns; turn += 1) {
    const role = turn % 2 === 0 ? 'user' : 'assistant';
    messages.push({ role, content: `Turn ${turn}: ${'words of a conversation '.repeat(20)}` });
  }
  return { model: 'a', messages, temperature: 0.2 };
}

/** Of the fastest part: a busy machine only ever adds. */
function microseconds(work: () => unknown): number {
  let best = Infinity;
  for (let part = 0; part < PARTS; part += 1) {
    const began = process.hrtime.bigint();
    for (let round = 0; round < ROUNDS; round += 1) work();
    best = Math.min(best, Number(process.hrtime.bigint() - began) / 1000 / ROUNDS);
  }
  return best;
}

const plugin = instantiate(
  definition,
  {},
  {
    agent: 'a',
    keep: (_id, make) => make(),
    monotonic_ms: () => 0,
    policy_ms: () => 0,
    condition: () => () => false,
    routes: () => null,
  },
);

function scopeOf(content: object | null): Scope {
  const prompt = content && { name: 'tone', version: 1, content };
  const agent = { name: 'a', prompt };
  return { agent, note() {}, mark() {}, header: () => null } as unknown as Scope;
}

for (const turns of [1, 40]) {
  const body = bodyOf(turns);
  const raw = Buffer.from(JSON.stringify(body));
  const call = { endpoint: 'chat.completions', model: 'a', body, raw } as unknown as Call;
  const rows: Record<string, Scope> = {
    off: scopeOf(null),
    'one system.append': scopeOf(append),
    'four operations': scopeOf(whole),
    'failing (anchor missing)': scopeOf({ ops: [{ ...whole.ops[2], anchor: 'not there' }] }),
  };
  for (const [name, scope] of Object.entries(rows)) {
    const hook = microseconds(() => plugin.onRequest?.(call, scope));
    const patch = plugin.onRequest?.(call, scope);
    const fields = { ...(patch as { body?: JsonObject } | undefined)?.body, model: 'b' };
    const splice = microseconds(() => spliceBody(raw, fields, body));
    const figures = `hook ${hook.toFixed(2)} µs, splice ${splice.toFixed(2)} µs`;
    process.stdout.write(`${turns + 1} messages, ${raw.length} bytes, ${name}: ${figures}\n`);
  }
}
