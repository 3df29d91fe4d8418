import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../../src/core/errors.ts';
import { parseCollectBody, parseFeedbackBody } from '../../../src/gateway/feedback/body.ts';
import { FEEDBACK_TEXT_BYTES_MAX } from '../../../src/gateway/feedback/signals.ts';

const NO_HEADERS = { session: null, agent: null, user: null };
type Parse = typeof parseFeedbackBody;

function refusal(parse: Parse, body: unknown): { message: string; param: string | undefined } {
  try {
    parse(body, NO_HEADERS);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    expect(error.code).toBe('bad_request');
    return { message: error.message, param: error.details.param };
  }
  throw new Error(`accepted: ${JSON.stringify(body)}`);
}

describe('parseFeedbackBody', () => {
  test('parseFeedbackBody reads names and signals, and lets unknown fields pass', () => {
    const body = { call_id: 'call_x', user: 'ann', rating: 2, helpful: false, colour: 'red' };
    expect(parseFeedbackBody(body, NO_HEADERS)).toEqual({
      named: {
        call: 'call_x',
        completion_id: null,
        request_id: null,
        session: null,
        agent: null,
      },
      user: 'ann',
      spoken: [
        { signal: 'rating', value: 2, text: null },
        { signal: 'helpful', value: 0, text: null },
      ],
      reported: {},
    });
  });

  test('parseFeedbackBody takes a null for an absent field, and names from headers', () => {
    const headers = { session: 'from-header', agent: 'helper', user: 'bob' };
    const body = { call_id: null, session_id: 'from-body', helpful: null, accepted: true };
    const { named, user, spoken } = parseFeedbackBody(body, headers);
    expect(named).toMatchObject({ call: null, session: 'from-body', agent: 'helper' });
    expect(user).toBe('bob');
    expect(spoken).toEqual([{ signal: 'accepted', value: 1, text: null }]);
  });

  test('parseFeedbackBody takes a copy for acceptance, and no copy for nothing', () => {
    const none = { session: null, agent: null, user: null };
    const said = (body: object) => parseFeedbackBody({ call_id: 'c', ...body }, none).spoken;
    const accepted = [{ signal: 'accepted', value: 1, text: null }];
    expect(said({ copied: true })).toEqual(accepted);
    expect(said({ copied: true, accepted: false })).toEqual([{ ...accepted[0], value: 0 }]);
    expect(said({ copied: false, rating: 3 })).toMatchObject([{ signal: 'rating' }]);
    expect(() => said({ copied: 'yes' })).toThrow('copied must be true or false');
    const explicit = { explicit: { copied: true }, session_id: 's' };
    expect(parseCollectBody(explicit, none).spoken).toEqual(accepted);
  });

  test.each([
    [{ call_id: 'c', rating: 7 }, 'rating', 'rating must be between 1 and 5, got 7'],
    [{ call_id: 'c', rating: 0.5 }, 'rating', 'got 0.5'],
    [{ call_id: 'c', rating: 'five' }, 'rating', 'got "five"'],
    [{ call_id: 'c', rating: {} }, 'rating', 'got an object'],
    [{ call_id: 'c', helpful: 'yes' }, 'helpful', 'must be true or false'],
    [{ call_id: 'c', correction: 5 }, 'correction', 'must be text'],
    [{ call_id: 5, rating: 3 }, 'call_id', 'must be a string'],
    [{ call_id: 'a\u0000b', rating: 3 }, 'call_id', 'printable'],
    [{ session_id: 's'.repeat(2000), rating: 3 }, 'session_id', 'at most 1024 bytes'],
    [{ rating: 3 }, 'call_id', 'is missing: send call_id, completion_id'],
    [{ call_id: 'c', comment: 'hm' }, 'rating', 'send at least one of rating'],
    [[], 'body', 'must be a JSON object, got a list'],
    ['rating', 'body', 'must be a JSON object'],
  ])('parseFeedbackBody refuses %j and names the field', (body, param, message) => {
    const refused = refusal(parseFeedbackBody, body);
    expect(refused.param).toBe(param);
    expect(refused.message).toContain(message);
  });

  test('parseFeedbackBody bounds texts in bytes, not characters', () => {
    const text = 'ü'.repeat(FEEDBACK_TEXT_BYTES_MAX / 2);
    expect(parseFeedbackBody({ call_id: 'c', correction: text }, NO_HEADERS).spoken).toHaveLength(
      1,
    );
    expect(refusal(parseFeedbackBody, { call_id: 'c', correction: `${text}ü` }).message).toBe(
      'correction must be at most 8192 bytes',
    );
  });

  test('parseFeedbackBody leaves no text that Postgres would refuse', () => {
    const body = { call_id: 'c', rating: 1, comment: 'a\u0000b\ud800c' };
    expect(parseFeedbackBody(body, NO_HEADERS).spoken[0]?.text).toBe('a\ufffdb\ufffdc');
  });

  test('parseFeedbackBody answers any JSON with feedback or a bad_request', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.constantFrom(parseFeedbackBody, parseCollectBody),
        (body, parse) => {
          try {
            parse(body, NO_HEADERS);
          } catch (error) {
            expect(error).toMatchObject({ name: 'GatewayError', code: 'bad_request' });
          }
        },
      ),
    );
  });
});

describe('parseCollectBody', () => {
  test('parseCollectBody keeps what people said apart from what the application measured', () => {
    const { named, spoken, reported } = parseCollectBody(
      {
        agent_id: 'helpful_assistant',
        session_id: 'user_123_session',
        explicit: { rating: 4.5, helpful: true },
        implicit: { response_time_ms: 250, success_rate: 0.95, resolved: true, nothing: null },
      },
      NO_HEADERS,
    );
    expect(named).toMatchObject({ agent: 'helpful_assistant', session: 'user_123_session' });
    expect(spoken.map(({ signal, value }) => [signal, value])).toEqual([
      ['rating', 4.5],
      ['helpful', 1],
    ]);
    expect(reported).toEqual({ response_time_ms: 250, success_rate: 0.95, resolved: 1 });
  });

  test.each([
    [
      { agent_id: 'a', explicit: { rating: 9 } },
      'explicit.rating',
      'must be between 1 and 5, got 9',
    ],
    [{ agent_id: 'a', explicit: 5 }, 'explicit', 'must be a JSON object'],
    [{ agent_id: 'a', implicit: { success_rate: 'high' } }, 'implicit.success_rate', 'a number'],
    [{ agent_id: 'a', implicit: { 'a b': 1 } }, 'implicit', 'letters'],
    [{ agent_id: 'a', explicit: {}, implicit: {} }, 'explicit', 'at least one signal'],
    [{ explicit: { rating: 4 } }, 'call_id', 'missing'],
  ])('parseCollectBody refuses %j and names the field', (body, param, message) => {
    const refused = refusal(parseCollectBody, body);
    expect(refused.param).toBe(param);
    expect(refused.message).toContain(message);
  });

  test('parseCollectBody refuses more reported values than a record should carry', () => {
    const implicit = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`v${index}`, 1]));
    expect(refusal(parseCollectBody, { agent_id: 'a', implicit }).param).toBe('implicit');
  });
});
