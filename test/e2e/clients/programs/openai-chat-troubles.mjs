import OpenAI from 'openai';
import { model, url } from './play.mjs';
import { playTroubles } from './troubles.mjs';

const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'unused' });
const bodyOf = (content) => ({ model, messages: [{ role: 'user', content }] });

await playTroubles({
  async ask(text, maxRetries) {
    const got = await client.chat.completions.create(bodyOf(text), { maxRetries });
    return got.choices[0].message.content;
  },
  async stream(text, heard) {
    const body = { ...bodyOf(text), stream: true };
    const chunks = await client.chat.completions.create(body, { maxRetries: 0 });
    for await (const chunk of chunks) heard(chunk.choices[0]?.delta.content);
  },
});
