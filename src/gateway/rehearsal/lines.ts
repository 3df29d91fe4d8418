/** What is said in a rehearsal, and answered: a call of common size and shape. */
const TEXT = 'The quick brown fox jumps over the lazy dog and runs into the green wood. ';

const ASKED = JSON.stringify({
  model: 'default',
  messages: [
    { role: 'system', content: 'You are the assistant of a shop.' },
    { role: 'user', content: TEXT.repeat(8) },
  ],
  temperature: 0.7,
  max_tokens: 256,
});

const ANSWERED = JSON.stringify({
  id: 'chatcmpl-rehearsal',
  object: 'chat.completion',
  created: 1_700_000_000,
  model: 'rehearsal',
  choices: [
    { index: 0, message: { role: 'assistant', content: TEXT.repeat(8) }, finish_reason: 'stop' },
  ],
  usage: { prompt_tokens: 150, completion_tokens: 130, total_tokens: 280 },
});

/** The request's head, without the empty line at its end. */
export const REQUEST_HEAD = [
  'POST /v1/chat/completions HTTP/1.1',
  'host: localhost',
  'accept: application/json',
  'content-type: application/json',
  'user-agent: rehearsal',
  'connection: keep-alive',
  `content-length: ${ASKED.length}`,
].join('\r\n');

export const REQUEST_BODY = Buffer.from(ASKED);

const ANSWER_HEAD = [
  'HTTP/1.1 200 OK',
  'date: Thu, 01 Jan 1970 00:00:00 GMT',
  'content-type: application/json',
  `content-length: ${ANSWERED.length}`,
  'connection: keep-alive',
].join('\r\n');

/** The answer, head and body, as it comes from a socket. */
export const ANSWER = Buffer.from(`${ANSWER_HEAD}\r\n\r\n${ANSWERED}`);
