import { expect, test } from 'vitest';
import {
  chunkWithoutSecrets,
  failureWithoutSecrets,
} from '../../../src/gateway/upstream/echoed-secrets.ts';
import { failed } from '../../../src/gateway/upstream/failures.ts';

const KEY = 'sk-provider-"0123456789';
const SENT = {
  'content-type': 'application/json',
  authorization: `Bearer ${KEY}`,
  'x-own': 'another-secret',
  'x-short': 'no',
};

test('failureWithoutSecrets marks what the upstream quotes of our credentials, no more', () => {
  const failure = {
    ...failed('upstream_error', `no such key: ${KEY}, application/json, no`),
    body: { error: { message: `key ${KEY} or another-secret`, param: null } },
  };
  expect(failureWithoutSecrets(failure, SENT)).toEqual({
    ...failure,
    message: 'no such key: [secret], application/json, no',
    body: { error: { message: 'key [secret] or [secret]', param: null } },
  });
  const plain = { ...failure, message: 'well', body: null };
  expect(failureWithoutSecrets(plain, SENT)).toBe(plain);
});

test('chunkWithoutSecrets marks them in an event of an error, and leaves answers alone', () => {
  const event = Buffer.from(`data: ${JSON.stringify({ error: { message: KEY } })}\n\n`);
  const error = failed('upstream_error', KEY);
  const chunk = {
    event,
    done: true,
    usage_only: false,
    error,
    facts: {},
    content: false,
    empty: false,
    malformed: false,
  };
  const clean = chunkWithoutSecrets(chunk, SENT);
  expect(Buffer.from(clean.event ?? []).toString()).toBe(
    'data: {"error":{"message":"[secret]"}}\n\n',
  );
  expect(clean.error?.message).toBe('[secret]');
  const answer = { ...chunk, error: null };
  expect(chunkWithoutSecrets(answer, SENT)).toBe(answer);
});
