// One chat completion a request, at URL. With RATE: that many a second, for latencies. Without it:
// VUS clients as fast as they can, for the most calls a second.

import { check } from 'k6';
import http from 'k6/http';

const { URL, SUMMARY, STREAM, RATE, VUS = '32', SECONDS = '5' } = __ENV;
const duration = `${SECONDS}s`;
const arriving = {
  executor: 'constant-arrival-rate',
  rate: Number(RATE),
  timeUnit: '1s',
  duration,
  preAllocatedVUs: 64,
  maxVUs: 256,
};
const looping = { executor: 'constant-vus', vus: Number(VUS), duration };

export const options = {
  scenarios: { chat: RATE ? arriving : looping },
  summaryTrendStats: ['avg', 'med', 'p(95)', 'p(99)', 'max'],
  discardResponseBodies: false,
};

const body = JSON.stringify({
  model: 'default',
  stream: STREAM === 'true',
  messages: [{ role: 'user', content: `Tell me of the fox. ${'And of the dog. '.repeat(40)}` }],
});
const headers = { 'content-type': 'application/json', 'x-agent-id': 'default' };
const ending = STREAM === 'true' ? 'data: [DONE]' : '"finish_reason":"stop"';

export default function chat() {
  const response = http.post(`${URL}/chat/completions`, body, { headers, timeout: '10s' });
  check(response, {
    complete: (got) => got.status === 200 && got.body.includes(ending),
  });
}

export function handleSummary(data) {
  return { [SUMMARY]: JSON.stringify(data) };
}
