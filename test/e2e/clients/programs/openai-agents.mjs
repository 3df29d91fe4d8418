import {
  Agent,
  OpenAIChatCompletionsModel,
  OpenAIResponsesModel,
  Runner,
  setTracingDisabled,
  tool,
} from '@openai/agents';
import OpenAI from 'openai';
import { model as id, leave, play, tell, thrownBy, url, weather } from './play.mjs';

setTracingDisabled(true);
/** Which of its models: `chat` or `responses`. */
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'unused', maxRetries: 0 });
const Model = process.argv[2] === 'chat' ? OpenAIChatCompletionsModel : OpenAIResponsesModel;
const { name, description, schema: parameters } = weather;
const getWeather = tool({
  name,
  description,
  parameters,
  strict: true,
  execute: async (input) => tell(input),
});
const agent = new Agent({
  name: 'forecaster',
  instructions: 'Be brief.',
  model: new Model(client, id),
  tools: [getWeather],
});
const runner = new Runner({ tracingDisabled: true });
const tokensOf = (result) => result.rawResponses.at(-1)?.usage.totalTokens;

await play({
  async whole() {
    const result = await runner.run(agent, 'whole');
    return { text: result.finalOutput, tokens: tokensOf(result) };
  },
  async streamed() {
    const result = await runner.run(agent, 'stream', { stream: true });
    const pieces = await Array.fromAsync(result.toTextStream());
    await result.completed;
    return { text: pieces.join(''), pieces: pieces.length, tokens: tokensOf(result) };
  },
  async tools() {
    const result = await runner.run(agent, 'tools');
    return { text: result.finalOutput };
  },
  error: () => thrownBy(() => runner.run(agent, 'fail')),
  abort: () =>
    leave(async (signal, heard) => {
      const result = await runner.run(agent, 'hang', { stream: true, signal });
      for await (const piece of result.toTextStream()) heard(piece);
    }),
});
