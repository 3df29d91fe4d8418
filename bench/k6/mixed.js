// What an application does all at once: whole answers, streams, and ratings of earlier calls, each
// at its own rate. RATE is that of whole answers; streams come half as often, ratings a fifth.

import { check } from 'k6';
import http from 'k6/http';

const { URL, SUMMARY, RATE = '200', SECONDS = '5' } = __ENV;

const scenario = (exec, rate) => ({
  executor: 'constant-arrival-rate',
  exec,
  rate: Math.max(1, Math.round(rate)),
  timeUnit: '1s',
  duration: `${SECONDS}s`,
  preAllocatedVUs: 32,
  maxVUs: 256,
});

export const options = {
  scenarios: {
    whole: scenario('whole', Number(RATE)),
    streamed: scenario('streamed', Number(RATE) / 2),
    rated: scenario('rated', Number(RATE) / 5),
  },
  summaryTrendStats: ['avg', 'med', 'p(95)', 'p(99)', 'max'],
};

const headers = { 'content-type': 'application/json', 'x-agent-id': 'default' };

function ask(stream) {
  const content = `Tell me of the fox. ${'And of the dog. '.repeat(40)}`;
  const body = JSON.stringify({ model: 'default', stream, messages: [{ role: 'user', content }] });
  return http.post(`${URL}/v1/chat/completions`, body, { headers, timeout: '10s' });
}

export function whole() {
  check(ask(false), {
    complete: (got) => got.status === 200 && got.body.includes('"finish_reason":"stop"'),
  });
}

export function streamed() {
  check(ask(true), {
    complete: (got) => got.status === 200 && got.body.includes('data: [DONE]'),
  });
}

export function rated() {
  const call_id = ask(false).headers['X-Hive-Call-Id'];
  const user = `${__VU}-${__ITER}-${Date.now()}`;
  const body = JSON.stringify({ call_id, rating: 1 + (__ITER % 5) });
  const params = { headers: { 'content-type': 'application/json', 'x-user-id': user } };
  const response = http.post(`${URL}/feedback`, body, params);
  check(response, { acknowledged: (got) => got.status === 202 });
}

export function handleSummary(data) {
  return { [SUMMARY]: JSON.stringify(data) };
}
