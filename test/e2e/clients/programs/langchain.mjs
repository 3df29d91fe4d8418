import { ChatAnthropic } from '@langchain/anthropic';
import { HumanMessage, ToolMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import { model as id, leave, play, tell, thrownBy, url, weather } from './play.mjs';

/** Which of its models: `openai` or `anthropic`. */
const common = { model: id, apiKey: 'unused', maxRetries: 0 };
const model =
  process.argv[2] === 'anthropic'
    ? new ChatAnthropic({ ...common, anthropicApiUrl: url, maxTokens: 100 })
    : new ChatOpenAI({ ...common, configuration: { baseURL: `${url}/v1` } });
const { name, description, schema } = weather;
const getWeather = tool(async (input) => tell(input), { name, description, schema });
const textOf = ({ text, content }) => text ?? content;

await play({
  async whole() {
    const got = await model.invoke('whole');
    return { text: textOf(got), tokens: got.usage_metadata.total_tokens };
  },
  async streamed() {
    const pieces = [];
    let tokens = 0;
    for await (const chunk of await model.stream('stream')) {
      if (textOf(chunk)) pieces.push(textOf(chunk));
      tokens += chunk.usage_metadata?.total_tokens ?? 0;
    }
    return { text: pieces.join(''), pieces: pieces.length, tokens };
  },
  async tools() {
    const bound = model.bindTools([getWeather]);
    const asked = new HumanMessage('tools');
    const first = await bound.invoke([asked]);
    const [call] = first.tool_calls;
    const result = new ToolMessage({ tool_call_id: call.id, content: tell(call.args) });
    return { text: textOf(await bound.invoke([asked, first, result])) };
  },
  error: () => thrownBy(() => model.invoke('fail')),
  abort: () =>
    leave(async (signal, heard) => {
      for await (const chunk of await model.stream('hang', { signal })) heard(textOf(chunk));
    }),
});
