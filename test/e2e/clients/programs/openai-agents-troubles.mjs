import {
  Agent,
  OpenAIChatCompletionsModel,
  OpenAIResponsesModel,
  Runner,
  setTracingDisabled,
} from '@openai/agents';
import OpenAI from 'openai';
import { model as id, url } from './play.mjs';
import { playTroubles } from './troubles.mjs';

setTracingDisabled(true);
/** Which of its models: `chat` or `responses`. */
const Model = process.argv[2] === 'chat' ? OpenAIChatCompletionsModel : OpenAIResponsesModel;
const runner = new Runner({ tracingDisabled: true });
const agentWith = (maxRetries) => {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'unused', maxRetries });
  return new Agent({ name: 'one', instructions: 'Be brief.', model: new Model(client, id) });
};

await playTroubles({
  ask: async (text, retries) => (await runner.run(agentWith(retries), text)).finalOutput,
  async stream(text, heard) {
    const result = await runner.run(agentWith(0), text, { stream: true });
    for await (const piece of result.toTextStream()) heard(piece);
    await result.completed;
  },
});
