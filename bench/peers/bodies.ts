/** What is asked and answered: the same for all gateways. */

const SENTENCE = 'The quick brown fox jumps over the lazy dog and runs into the green wood. ';

/** A chat completion of about so many bytes, as an application sends it. */
export function askedBody(bytes: number, more: object = {}): string {
  const bodyOf = (text: string): string =>
    JSON.stringify({
      // To the product an agent's name, so that its router has a choice to make.
      model: 'default',
      messages: [
        { role: 'system', content: 'You are the assistant of a shop. Answer in one sentence.' },
        { role: 'user', content: text },
      ],
      temperature: 0.7,
      max_tokens: 256,
      ...more,
    });
  const missing = Math.max(0, bytes - bodyOf('').length);
  return bodyOf(SENTENCE.repeat(Math.ceil(missing / SENTENCE.length)).slice(0, missing));
}

/** An answer of about 1 KB. */
export const ANSWER = JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 1_700_000_000,
  model: 'mock-1',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: SENTENCE.repeat(10).trim() },
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 210, completion_tokens: 150, total_tokens: 360 },
});
