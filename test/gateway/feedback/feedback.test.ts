import { describe, expect, test } from 'vitest';
import type { FeedbackEvent } from '../../../src/core/event.ts';
import { smallPolicy } from '../../core/policy.ts';
import { callEvent } from '../call-event.ts';
import { hashed, world } from '../feedback-world.ts';

describe('POST /feedback', () => {
  test('POST /feedback keeps one event a signal and answers what it is about', async () => {
    const { post, recent, events } = world();
    recent.remember(callEvent({ id: 'call_a' }));
    const answer = await post('/feedback', {
      call_id: 'call_a',
      rating: 1,
      helpful: false,
      user: 'ann',
    });
    expect(answer.status).toBe(202);
    const { feedback_id, matched } = (await answer.json()) as Record<string, string>;
    expect(matched).toBe('call');
    expect(feedback_id).toMatch(/^fb_[0-9a-f-]{36}$/);
    expect(events().map(({ id, value }) => [id, value])).toEqual([
      [`${feedback_id}.rating`, 1],
      [`${feedback_id}.helpful`, 0],
    ]);
    expect(events()[0]).toMatchObject({
      rater: `u:${hashed('ann')}`,
      call: 'call_a',
      agent: 'helper',
      channel: 'api',
    });
  });

  test.each([
    ['completion_id', 'chatcmpl-1'],
    ['request_id', 'req-9'],
  ])('POST /feedback finds a call by its %s', async (name, value) => {
    const { post, recent, events } = world();
    recent.remember(callEvent({ id: 'call_b', completion_id: 'chatcmpl-1', request_id: 'req-9' }));
    const answer = await post('/feedback', { [name]: value, rating: 5 });
    expect(await answer.json()).toMatchObject({ matched: 'call' });
    expect(events()[0]).toMatchObject({ call: 'call_b', [name]: value });
  });

  test('POST /feedback says how a comment sounds where nobody rated, and only there', async () => {
    const { post, events } = world();
    const comment = 'Absolutely useless!';
    await post('/feedback', { call_id: 'c', complaint: comment });
    await post('/feedback', { call_id: 'c', accepted: true, comment: 'very helpful' });
    await post('/feedback', { call_id: 'c', complaint: 'The invoice is number 17.' });
    await post('/feedback', { call_id: 'c', rating: 1, comment });
    await post('/feedback', { call_id: 'c', correction: 'It is a terrible idea.' });
    const heard = events().map(({ signal, sentiment }) => [signal, Math.sign(sentiment ?? 0)]);
    expect(heard).toEqual([
      ['complaint', -1],
      ['accepted', 1],
      ['complaint', 0],
      ['rating', 0],
      ['correction', 0],
    ]);
    expect(events().filter((event) => 'sentiment' in event)).toHaveLength(2);
  });

  test('POST /feedback keeps feedback on an unknown call as pending', async () => {
    const { post, recent, events } = world();
    recent.remember(callEvent({ session: hashed('chat') }));
    const answer = await post('/feedback', { call_id: 'call_z', session_id: 'chat', rating: 2 });
    expect(answer.status).toBe(202);
    expect(await answer.json()).toMatchObject({ matched: 'pending' });
    expect(events()[0]).toMatchObject({ call: 'call_z', matched: 'pending' });
  });

  test('POST /feedback refuses a rating out of range in OpenAI’s shape', async () => {
    const { post, memory } = world();
    const answer = await post('/feedback', { call_id: 'c', rating: 7 });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('x-should-retry')).toBe('false');
    expect(await answer.json()).toEqual({
      error: {
        message: 'rating must be between 1 and 5, got 7',
        type: 'invalid_request_error',
        param: 'rating',
        code: 'bad_request',
      },
    });
    expect(memory.records).toEqual([]);
  });

  test('POST /feedback refuses what is not JSON, or not called so, or too large', async () => {
    const { post } = world();
    const body = { call_id: 'c', rating: 3 };
    const text = await post('/feedback', body, { 'content-type': 'text/plain' });
    expect(text.status).toBe(415);
    const broken = await post('/feedback', '{"rating": 3');
    expect(broken.status).toBe(400);
    expect(await broken.json()).toMatchObject({ error: { code: 'invalid_json' } });
    const large = await post('/feedback', { ...body, comment: 'x'.repeat(70_000) });
    expect(large.status).toBe(413);
  });

  test('POST /feedback names the known agents where only an unknown one is named', async () => {
    const { post } = world();
    const answer = await post('/feedback', { agent_id: 'helpr', rating: 3 });
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({
      error: { code: 'unknown_agent', message: expect.stringContaining('helper, other') },
    });
  });

  test('POST /feedback answers 503 and acknowledges nothing where the disk refuses', async () => {
    const { post, memory } = world();
    for (const code of ['overloaded', 'not_ready'] as const) {
      memory.refuse(code);
      const answer = await post('/feedback', { call_id: 'c', rating: 3 });
      expect(answer.status).toBe(503);
      expect(await answer.json()).toMatchObject({ error: { code } });
      expect(answer.headers.get('retry-after')).toBe('1');
    }
    expect(memory.records).toEqual([]);
  });

  test('POST /feedback answers 503 while the loop is switched off', async () => {
    const switches = { ...smallPolicy.switches, feedback_loop: false };
    const { post, memory } = world({ policy: { ...smallPolicy, switches } });
    const answer = await post('/feedback', { call_id: 'c', rating: 3 });
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ error: { code: 'switched_off' } });
    expect(memory.records).toEqual([]);
  });

  test('POST /feedback gives one idempotency-key one answer, but never a refusal', async () => {
    const { post, events, memory } = world();
    const once = () => post('/feedback', { call_id: 'c', rating: 3 }, { 'idempotency-key': 'k1' });
    memory.refuse('overloaded');
    expect((await once()).status).toBe(503);
    memory.refuse(null);
    const first = await (await once()).json();
    expect(await (await once()).json()).toEqual(first);
    expect(events()).toHaveLength(1);
    expect(events()[0]?.idempotency).toMatch(/^[\w-]{20,}$/);
  });

  test('POST /feedback drops texts where the policy does not capture them', async () => {
    const { post, events } = world({
      policy: { ...smallPolicy, capture: { feedback_text: false } },
    });
    await post('/feedback', { call_id: 'c', correction: 'Bonn', complaint: 'rude' });
    expect(events().map(({ signal, value, text }) => [signal, value, text])).toEqual([
      ['complaint', 1, null],
      ['correction', 1, null],
    ]);
  });

  test('POST /feedback counts complaints of distinct users against their canary', async () => {
    const { post, recent, permits } = world();
    const experiment = {
      id: 'exp_1',
      agent: 'helper',
      row: 'm',
      state: 'canary',
      epoch: 1,
    } as const;
    permits.receive([{ experiment: 'exp_1', epoch: 1, share: 0.5, ttl_ms: 20_000 }]);
    recent.remember(callEvent({ id: 'call_c', experiment: 'exp_1', arm: 'canary' }));
    recent.remember(callEvent({ id: 'call_d', experiment: 'exp_1', arm: 'control' }));
    const complain = (user: string, call_id: string) =>
      post('/feedback', { call_id, complaint: true, user });
    for (let user = 0; user < 10; user += 1) await complain(`of-control-${user}`, 'call_d');
    for (let again = 0; again < 10; again += 1) await complain('ann', 'call_c');
    for (let user = 0; user < 4; user += 1) await complain(`user-${user}`, 'call_c');
    expect(permits.shareOf(experiment)).toBe(0.5);
    await complain('the sixth', 'call_c');
    expect(permits.shareOf(experiment)).toBe(0);
    expect(permits.withheld().exp_1).toContain('6 users complained');
  });
});

describe('POST /api/v1/feedback/collect', () => {
  const seed = {
    agent_id: 'helper',
    session_id: 'user_123_session',
    explicit: { rating: 4.5, helpful: true },
    implicit: { response_time_ms: 250, success_rate: 0.95 },
  };

  test('collect takes the seed’s body and never mixes what the application measured', async () => {
    const { post, memory, recent, time } = world();
    recent.remember(callEvent({ id: 'call_old', session: hashed('user_123_session') }));
    recent.remember(callEvent({ id: 'call_new', session: hashed('user_123_session') }));
    const answer = await post('/api/v1/feedback/collect', seed);
    expect(answer.status).toBe(202);
    const { feedback_id, matched } = (await answer.json()) as Record<string, string>;
    expect(matched).toBe('session');
    expect(memory.records).toMatchObject([
      { type: 'feedback', signal: 'rating', value: 4.5, call: 'call_new', channel: 'seed' },
      { type: 'feedback', signal: 'helpful', value: 1, rater: `s:${hashed('user_123_session')}` },
      {
        type: 'report',
        id: `${feedback_id}.report`,
        at_ms: time.clock.policy_ms(),
        agent: 'helper',
        session: hashed('user_123_session'),
        values: { response_time_ms: 250, success_rate: 0.95 },
      },
    ]);
  });

  test('collect falls back to the agent, which names no call', async () => {
    const { post, recent, events } = world();
    expect(await (await post('/api/v1/feedback/collect', seed)).json()).toMatchObject({
      matched: 'pending',
    });
    recent.remember(callEvent({ session: hashed('another') }));
    expect(await (await post('/api/v1/feedback/collect', seed)).json()).toMatchObject({
      matched: 'agent',
    });
    expect(events().map(({ call }) => call)).toEqual([null, null, null, null]);
  });
});

describe('the feedback header', () => {
  const who = { tenant: 'default', key: 'open', user: null, session: 'hs', agent: 'helper' };

  test('the feedback header is accepted only once it is durable', async () => {
    const { header, recent, memory, events } = world();
    recent.remember(callEvent({ id: 'call_first', session: 'hs' }));
    memory.hold(true);
    const started = header.start('rating=2', who);
    expect(started.settled()).toBe('pending');
    memory.sync();
    await started.done;
    expect(started.settled()).toBe('accepted');
    expect(events()[0]).toMatchObject({
      call: 'call_first',
      matched: 'session',
      rater: 's:hs',
      channel: 'header',
    } satisfies Partial<FeedbackEvent>);
  });

  test('the feedback header is rejected with a reason and never throws', async () => {
    const { header, memory } = world();
    const bad = header.start('rating=7', who);
    expect(bad.settled()).toEqual({ rejected: 'rating must be between 1 and 5, got 7' });
    const nameless = header.start('rating=3', { ...who, session: null });
    expect(nameless.settled()).toEqual({ rejected: expect.stringContaining('x-session-id') });
    memory.refuse('overloaded');
    const refused = header.start('rating=3', who);
    await refused.done;
    expect(refused.settled()).toEqual({ rejected: 'The disk refuses.' });
    expect(memory.records).toEqual([]);
  });
});
