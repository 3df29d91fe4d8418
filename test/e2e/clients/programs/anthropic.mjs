import Anthropic from '@anthropic-ai/sdk';
import { leave, model, play, tell, thrownBy, url, weather } from './play.mjs';

const client = new Anthropic({ baseURL: url, apiKey: 'unused', maxRetries: 0 });
const { name, description, schema: input_schema } = weather;
const tools = [{ name, description, input_schema }];
const asking = (content) => ({ model, max_tokens: 100, messages: [{ role: 'user', content }] });

await play({
  async whole() {
    const got = await client.messages.create(asking('whole'));
    return { text: got.content[0].text, tokens: got.usage.input_tokens + got.usage.output_tokens };
  },
  async streamed() {
    const stream = client.messages.stream(asking('stream'));
    const pieces = [];
    stream.on('text', (piece) => pieces.push(piece));
    const { usage } = await stream.finalMessage();
    const tokens = usage.input_tokens + usage.output_tokens;
    return { text: pieces.join(''), pieces: pieces.length, tokens };
  },
  async tools() {
    const first = await client.messages.stream({ ...asking('tools'), tools }).finalMessage();
    const call = first.content.find(({ type }) => type === 'tool_use');
    const result = { type: 'tool_result', tool_use_id: call.id, content: tell(call.input) };
    const next = await client.messages.create({
      ...asking('tools'),
      tools,
      messages: [
        ...asking('tools').messages,
        { role: 'assistant', content: first.content },
        { role: 'user', content: [result] },
      ],
    });
    return { text: next.content[0].text };
  },
  error: () => thrownBy(() => client.messages.create(asking('fail'))),
  abort: () =>
    leave(async (signal, heard) => {
      const events = await client.messages.create({ ...asking('hang'), stream: true }, { signal });
      for await (const event of events) {
        if (event.type === 'content_block_delta') heard(event.delta.text);
      }
    }),
});
