import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { UpstreamFailure } from '../../../src/core/provider.ts';
import { failed } from '../../../src/gateway/upstream/failures.ts';
import { LiveStream } from '../../../src/gateway/upstream/live-stream.ts';
import { until } from '../../kit/until.ts';
import { openAiAt } from '../snapshot.ts';

const decoder = openAiAt('http://127.0.0.1:1/v1').openStream({
  endpoint: 'chat.completions',
  adapter: null,
  model: 'm',
  created_s: 0,
  call_id: 'call_1',
  include_usage: false,
});
const textEvent = (content: string, finish_reason: string | null = null) => {
  const choice = { index: 0, delta: { content }, finish_reason };
  return `data: ${JSON.stringify({ choices: [choice] })}\n\n`;
};

const roleEvent = 'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n';

const usageEvent =
  'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}\n\n';

/** A stream with everything that its owner, connection and consumer heard. */
const open = (idle_ms = 60_000, asked = false) => {
  const heard: string[] = [];
  const chunks: string[] = [];
  const failures: (UpstreamFailure | null)[] = [];
  const sending = {
    abort: () => void heard.push('abort'),
    pause: () => void heard.push('pause'),
    resume: () => void heard.push('resume'),
  };
  const owner = {
    asks_usage: asked,
    begun: (failure: UpstreamFailure | null) => void heard.push(`begun ${failure?.code ?? 'well'}`),
    stopped: () => void heard.push('stopped'),
  };
  const stream = new LiveStream(decoder, sending, idle_ms, owner);
  const attach = () =>
    stream.attach({
      onChunks: (given) => {
        chunks.push(...given.map(({ event }) => Buffer.from(event ?? []).toString()));
      },
      onEnd: (failure) => void failures.push(failure),
    });
  const push = (text: string) => stream.push(Buffer.from(text));
  return { stream, heard, chunks, failures, attach, push };
};

test('a live stream keeps what comes before its consumer, then passes it on', () => {
  const { attach, push, chunks, failures, heard } = open();
  push(textEvent('a'));
  push(textEvent('b', 'stop'));
  expect(heard).toEqual(['begun well']);
  attach();
  push('data: [DONE]\n\n');
  expect(chunks).toEqual([textEvent('a'), textEvent('b', 'stop'), 'data: [DONE]\n\n']);
  expect(failures).toEqual([null]);
});

test('a live stream tells its end also to a consumer that comes after it', () => {
  const { attach, push, stream, failures } = open();
  push(textEvent('a'));
  stream.end();
  attach();
  expect(failures).toMatchObject([{ code: 'upstream_cut' }]);
});

test('a live stream begins at its first token, and gives what came before it as well', () => {
  const { attach, push, chunks, heard } = open();
  push(roleEvent);
  push(': ping\n\n');
  expect(heard).toEqual([]);
  push(textEvent('a'));
  expect(heard).toEqual(['begun well']);
  attach();
  expect(chunks).toEqual([roleEvent, ': ping\n\n', textEvent('a')]);
});

test('a live stream whose first event is bad never begins', () => {
  const { push, stream, heard } = open();
  push(': ping\n\ndata: {"cho\n\n');
  push(textEvent('late'));
  stream.end();
  expect(heard).toEqual(['abort', 'stopped', 'begun upstream_error']);
});

test('a live stream is complete after a finish_reason, however its connection ends', () => {
  for (const end of ['end', 'fail'] as const) {
    const { attach, push, stream, failures } = open();
    push(textEvent('a', 'stop'));
    attach();
    if (end === 'end') stream.end();
    else stream.fail(failed('upstream_cut', 'cut'));
    expect(failures).toEqual([null]);
  }
});

test('a live stream that has finished does not wait long for a proper end', async () => {
  const { attach, push, failures, chunks } = open();
  attach();
  push(textEvent('a') + textEvent('', 'stop'));
  expect(failures).toEqual([]);
  await until(() => failures.length === 1, { what: 'the end', deadline_ms: 5000 });
  expect(failures).toEqual([null]);
  expect(chunks).toEqual([textEvent('a'), textEvent('', 'stop')]);
});

test('a live stream whose finish_reason comes with words may go on as long as any', async () => {
  // Some hosts write one into every chunk.
  const every = open(2000);
  every.attach();
  every.push(textEvent('a', 'stop'));
  const other = open();
  other.attach();
  other.push(textEvent('', 'stop'));
  other.push(textEvent('more'));
  const last = open();
  last.attach();
  last.push(textEvent('', 'stop'));
  await until(() => last.failures.length === 1, { what: 'the shorter end', deadline_ms: 5000 });
  expect([every.failures, other.failures]).toEqual([[], []]);
  await until(() => every.failures.length === 1, { what: 'the idle time', deadline_ms: 5000 });
  other.stream.end();
  expect([every.failures, other.failures]).toEqual([[null], [null]]);
});

test('a live stream that has finished ends, however often its upstream pings', async () => {
  const brief = open();
  // Behind words that came with a finish_reason its patience is that of any silence.
  const wordy = open(2000);
  for (const { attach } of [brief, wordy]) attach();
  brief.push(textEvent('a') + textEvent('', 'stop'));
  wordy.push(textEvent('a', 'stop'));
  const ended = ({ push, failures }: typeof brief) => {
    push(': ping\n\n');
    push('data: {"choices":[]}\n\n');
    return failures.length === 1;
  };
  await until(() => [brief, wordy].map(ended).every(Boolean), { what: 'both ends' });
  expect([brief.failures, wordy.failures]).toEqual([[null], [null]]);
});

test('a live stream whose client asked for usage waits longer for it', async () => {
  const asked = open(60_000, true);
  const had = open(60_000, true);
  const plain = open();
  for (const one of [asked, had, plain]) one.push(textEvent('a') + textEvent('', 'stop'));
  had.push(usageEvent);
  for (const one of [asked, had]) one.attach();
  const ends: string[] = [];
  // Told from within the timer of the shorter wait: however late both are, the longer one is open.
  plain.stream.attach({
    onChunks() {},
    onEnd() {
      ends.push(...(asked.failures.length > 0 ? ['asked'] : []), 'plain');
      asked.push(usageEvent);
    },
  });
  await until(() => asked.failures.length + had.failures.length === 2, { what: 'all ends' });
  expect(ends).toEqual(['plain']);
  expect(asked.chunks.at(-1)).toBe(usageEvent);
  expect(asked.stream.tokens).toMatchObject({ in: 1, out: 2 });
});

test('a live stream’s error behind the finish_reason tells its cost, and no more', () => {
  const { attach, push, stream, chunks, failures } = open();
  push(textEvent('a', 'length'));
  attach();
  const usage = { prompt_tokens: 43, completion_tokens: 10, total_tokens: 53 };
  push(`data: ${JSON.stringify({ error: { code: 400, message: 'm' }, choices: [], usage })}\n\n`);
  expect(chunks).toEqual([textEvent('a', 'length'), '']);
  expect(stream.tokens).toMatchObject({ in: 43, out: 10 });
  expect(failures).toEqual([null]);
});

test('a live stream takes a last event that lacks its blank line', () => {
  const { attach, push, stream, chunks, failures } = open();
  push(`${textEvent('a', 'stop')}data: [DONE]`);
  attach();
  stream.end();
  expect(failures).toEqual([null]);
  expect(chunks.at(-1)).toContain('[DONE]');
});

test('a live stream takes half an event at the end for a cut', () => {
  const { attach, push, stream, failures } = open();
  push(`${textEvent('a')}data: {"choices":[{"del`);
  attach();
  stream.end();
  expect(failures).toMatchObject([{ code: 'upstream_cut' }]);
});

test('a live stream that falls silent fails, but not while it is paused', async () => {
  const { attach, push, stream, failures } = open(40);
  push(textEvent('a'));
  attach();
  stream.pause();
  const paused_ms = performance.now();
  await until(() => performance.now() - paused_ms > 120, { what: 'three times its patience' });
  expect(failures).toEqual([]);
  stream.resume();
  await until(() => failures.length > 0, { what: 'its patience to end' });
  expect(failures).toMatchObject([{ code: 'upstream_timeout' }]);
});

test('a live stream that is abandoned says nothing more', () => {
  const { attach, push, stream, failures, chunks, heard } = open();
  push(textEvent('a'));
  attach();
  stream.abandon();
  push(textEvent('b'));
  stream.end();
  expect(chunks).toEqual([textEvent('a')]);
  expect(failures).toEqual([]);
  expect(heard).toEqual(['begun well', 'stopped', 'abort']);
});

test('a live stream ends exactly once, whatever happens in whatever order', () => {
  const step = fc.constantFrom(
    'text',
    'role',
    'finish',
    'done',
    'bad',
    'comment',
    'end',
    'fail',
    'attach',
    'pause',
    'resume',
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const one = open();
      const acts: Record<string, () => void> = {
        text: () => one.push(textEvent('x')),
        role: () => one.push(roleEvent),
        finish: () => one.push(textEvent('x', 'stop')),
        done: () => one.push('data: [DONE]\n\n'),
        bad: () => one.push('data: {\n\n'),
        comment: () => one.push(': ping\n\n'),
        end: () => one.stream.end(),
        fail: () => one.stream.fail(failed('upstream_cut', 'cut')),
        attach: one.attach,
        pause: () => one.stream.pause(),
        resume: () => one.stream.resume(),
      };
      let attached = false;
      for (const name of steps) {
        if (name === 'attach' && (attached || !one.heard.includes('begun well'))) continue;
        attached ||= name === 'attach';
        acts[name]?.();
      }
      one.stream.end();
      const begun = one.heard.filter((said) => said.startsWith('begun'));
      const well = begun[0] === 'begun well';
      if (well && !attached) one.attach();
      expect(begun.length).toBe(1);
      expect(one.heard.filter((said) => said === 'stopped').length).toBe(1);
      expect(one.failures.length).toBe(well ? 1 : 0);
      expect(one.chunks.length > 0).toBe(well);
    }),
  );
});

test('a live stream tells of an unfinished event that is large, and ends if it must', () => {
  const held: number[] = [];
  const failures: (string | undefined)[] = [];
  const sending = { abort() {}, pause() {}, resume() {} };
  const stream = new LiveStream(decoder, sending, 60_000, {
    begun: (failure) => void failures.push(failure?.code),
    stopped: () => void held.push(-1),
    hold: (bytes) => {
      held.push(bytes);
      return bytes <= 250_000;
    },
  });
  const part = Buffer.from('x'.repeat(50_000));
  stream.push(Buffer.from('data: '));
  for (let parts = 0; parts < 3; parts += 1) stream.push(part);
  expect(held).toEqual([100_006, 150_006]);
  stream.push(Buffer.from('\n\n'));
  expect(failures).toEqual(['upstream_error']);
  const next = new LiveStream(decoder, sending, 60_000, {
    begun: (failure) => void failures.push(failure?.code),
    stopped() {},
    hold: (bytes) => bytes <= 250_000,
  });
  next.push(Buffer.from(`: comment\n\ndata: `));
  for (let parts = 0; parts < 6; parts += 1) next.push(part);
  expect(failures).toEqual(['upstream_error', 'overloaded']);
});
