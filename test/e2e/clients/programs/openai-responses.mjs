import OpenAI from 'openai';
import { leave, model, play, tell, thrownBy, url, weather } from './play.mjs';

const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'unused', maxRetries: 0 });
const { name, description, schema: parameters } = weather;
const tools = [{ type: 'function', name, description, parameters, strict: true }];

await play({
  async whole() {
    const got = await client.responses.create({ model, input: 'whole' });
    return { text: got.output_text, tokens: got.usage.total_tokens };
  },
  async streamed() {
    const events = await client.responses.create({ model, input: 'stream', stream: true });
    const pieces = [];
    let tokens = 0;
    for await (const event of events) {
      if (event.type === 'response.output_text.delta') pieces.push(event.delta);
      if (event.type === 'response.completed') tokens = event.response.usage.total_tokens;
    }
    return { text: pieces.join(''), pieces: pieces.length, tokens };
  },
  async tools() {
    const input = [{ role: 'user', content: 'tools' }];
    const first = await client.responses.stream({ model, input, tools }).finalResponse();
    const call = first.output.find(({ type }) => type === 'function_call');
    const output = tell(JSON.parse(call.arguments));
    const result = { type: 'function_call_output', call_id: call.call_id, output };
    const next = await client.responses.create({ model, tools, input: [...input, call, result] });
    return { text: next.output_text };
  },
  error: () => thrownBy(() => client.responses.create({ model, input: 'fail' })),
  abort: () =>
    leave(async (signal, heard) => {
      const body = { model, input: 'hang', stream: true };
      const events = await client.responses.create(body, { signal });
      for await (const event of events) {
        if (event.type === 'response.output_text.delta') heard(event.delta);
      }
    }),
});
