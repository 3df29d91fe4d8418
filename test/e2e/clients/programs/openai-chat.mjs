import OpenAI from 'openai';
import { leave, model, play, tell, thrownBy, url, weather } from './play.mjs';

const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'unused', maxRetries: 0 });
const says = (content) => [{ role: 'user', content }];
const { name, description, schema: parameters } = weather;
const tools = [{ type: 'function', function: { name, description, parameters } }];

await play({
  async whole() {
    const got = await client.chat.completions.create({ model, messages: says('whole') });
    return { text: got.choices[0].message.content, tokens: got.usage.total_tokens };
  },
  async streamed() {
    const messages = says('stream');
    const stream_options = { include_usage: true };
    const chunks = await client.chat.completions.create({
      model,
      messages,
      stream: true,
      stream_options,
    });
    const pieces = [];
    let tokens = 0;
    for await (const chunk of chunks) {
      if (chunk.choices[0]?.delta.content) pieces.push(chunk.choices[0].delta.content);
      tokens = chunk.usage?.total_tokens ?? tokens;
    }
    return { text: pieces.join(''), pieces: pieces.length, tokens };
  },
  async tools() {
    const runner = client.chat.completions.runTools({
      model,
      messages: says('tools'),
      stream: true,
      tools: [
        { type: 'function', function: { ...tools[0].function, parse: JSON.parse, function: tell } },
      ],
    });
    return { text: await runner.finalContent() };
  },
  error: () => thrownBy(() => client.chat.completions.create({ model, messages: says('fail') })),
  abort: () =>
    leave(async (signal, heard) => {
      const body = { model, messages: says('hang'), stream: true };
      const chunks = await client.chat.completions.create(body, { signal });
      for await (const chunk of chunks) heard(chunk.choices[0]?.delta.content);
    }),
});
