// RATE ratings a second of calls that were really made, each by another user, so that none is a
// repetition of another. A 202 says that it is on disk.

import { check } from 'k6';
import http from 'k6/http';

const { URL, SUMMARY, RATE = '2000', SECONDS = '10', CALLS = '50' } = __ENV;

export const options = {
  scenarios: {
    feedback: {
      executor: 'constant-arrival-rate',
      rate: Number(RATE),
      timeUnit: '1s',
      duration: `${SECONDS}s`,
      preAllocatedVUs: 100,
      maxVUs: 400,
    },
  },
  summaryTrendStats: ['avg', 'med', 'p(95)', 'p(99)', 'max'],
};

export function setup() {
  const body = JSON.stringify({ model: 'default', messages: [{ role: 'user', content: 'hi' }] });
  const headers = { 'content-type': 'application/json' };
  const calls = [];
  for (let made = 0; made < Number(CALLS); made += 1) {
    const id = http.post(`${URL}/v1/chat/completions`, body, { headers }).headers['X-Hive-Call-Id'];
    if (!id) throw new Error('a call without x-hive-call-id');
    calls.push(id);
  }
  return { calls, run: `${Date.now()}` };
}

export default function rate({ calls, run }) {
  const number = __VU * 1_000_000 + __ITER;
  const body = JSON.stringify({ call_id: calls[number % calls.length], rating: 1 + (number % 5) });
  const headers = { 'content-type': 'application/json', 'x-user-id': `${run}-${number}` };
  const params = { headers, timeout: '5s', tags: { kind: 'feedback' } };
  const response = http.post(`${URL}/feedback`, body, params);
  check(response, { acknowledged: (got) => got.status === 202 });
}

export function handleSummary(data) {
  return { [SUMMARY]: JSON.stringify(data) };
}
