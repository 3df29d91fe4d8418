import Anthropic from '@anthropic-ai/sdk';
import { model, url } from './play.mjs';
import { playTroubles } from './troubles.mjs';

const client = new Anthropic({ baseURL: url, apiKey: 'unused' });
const bodyOf = (content) => ({ model, max_tokens: 100, messages: [{ role: 'user', content }] });

await playTroubles({
  async ask(text, maxRetries) {
    return (await client.messages.create(bodyOf(text), { maxRetries })).content[0].text;
  },
  async stream(text, heard) {
    const events = await client.messages.create(
      { ...bodyOf(text), stream: true },
      { maxRetries: 0 },
    );
    for await (const event of events) heard(event.delta?.text);
  },
});
