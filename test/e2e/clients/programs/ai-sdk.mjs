import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { generateText, jsonSchema, stepCountIs, streamText, tool } from 'ai';
import { model as id, leave, play, tell, thrownBy, url, weather } from './play.mjs';

/** Which of its models: `chat`, `responses` or `messages`. */
const openai = createOpenAI({ baseURL: `${url}/v1`, apiKey: 'unused' });
const anthropic = createAnthropic({ baseURL: `${url}/v1`, apiKey: 'unused' });
const make = {
  chat: (name) => openai.chat(name),
  responses: openai,
  messages: anthropic,
};
const model = make[process.argv[2]](id);

const tools = {
  get_weather: tool({
    description: weather.description,
    inputSchema: jsonSchema(weather.schema),
    execute: async (input) => tell(input),
  }),
};
const quiet = { maxRetries: 0, onError() {} };

await play({
  async whole() {
    const { text, usage } = await generateText({ model, prompt: 'whole', ...quiet });
    return { text, tokens: usage.totalTokens };
  },
  async streamed() {
    const result = streamText({ model, prompt: 'stream', ...quiet });
    const pieces = await Array.fromAsync(result.textStream);
    const { totalTokens: tokens } = await result.usage;
    return { text: pieces.join(''), pieces: pieces.length, tokens };
  },
  async tools() {
    const result = streamText({
      model,
      prompt: 'tools',
      tools,
      stopWhen: stepCountIs(3),
      ...quiet,
    });
    return { text: await result.text };
  },
  error: () =>
    thrownBy(
      () => generateText({ model, prompt: 'fail', ...quiet }),
      (error) => error.statusCode,
    ),
  abort: () =>
    leave(async (abortSignal, heard) => {
      const result = streamText({ model, prompt: 'hang', abortSignal, ...quiet });
      for await (const piece of result.textStream) heard(piece);
    }),
});
