import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/canonical.ts';
import { objectsIn } from '../../../src/core/json-values.ts';
import { make, requestFor, sent } from '../../providers/provider-kit.ts';

/** What translated requests look like at hosts that take less, or more, than OpenAI does. */

const HI = { role: 'user', content: 'hi' };

function asked(use: string, model: string, more: object) {
  const provider = make(use, use === 'azure-openai' ? { resource: 'r' } : {});
  const body = { max_tokens: 9, messages: [HI], ...more };
  return sent(provider, requestFor('messages', body, { model }));
}

const effort = (level: string) => ({ output_config: { effort: level } });

describe('an effort of Anthropic’s', () => {
  test.each([
    ['openai', 'gpt-5-mini', 'xhigh', 'high'],
    ['openai', 'gpt-5.1', 'xhigh', 'high'],
    ['openai', 'gpt-5.2', 'xhigh', 'xhigh'],
    ['openai', 'gpt-5.1-codex-max', 'xhigh', 'xhigh'],
    ['openai', 'gpt-5.4-mini', 'max', 'xhigh'],
    ['openai', 'o3', 'max', 'high'],
    ['azure-openai', 'prod-gpt-5.2', 'xhigh', 'xhigh'],
    ['azure-openai', 'gpt5', 'xhigh', 'high'],
    ['openrouter', 'x/y', 'xhigh', 'xhigh'],
    ['gemini', 'gemini-3-pro', 'xhigh', 'high'],
    ['groq', 'openai/gpt-oss-120b', 'xhigh', 'high'],
    ['ollama', 'gpt-oss:20b', 'xhigh', 'high'],
    ['openai', 'gpt-5-mini', 'low', 'low'],
  ])('at %s, %s, %s goes as %s, and a change is named', (use, model, level, goes) => {
    const { json, notes } = asked(use, model, effort(level));
    expect(json.reasoning_effort).toBe(goes);
    expect(notes).toEqual(level === goes ? [] : ['output_config.effort']);
  });

  test('goes to no model of Ollama’s that is not known to take one', () => {
    const { json, notes } = asked('ollama', 'llama3.1', effort('high'));
    expect(json).not.toHaveProperty('reasoning_effort');
    expect(notes).toEqual(['thinking']);
  });
});

describe('thinking that is switched', () => {
  const off = { thinking: { type: 'disabled' } };
  const on = { thinking: { type: 'enabled', budget_tokens: 2000 } };

  test.each([
    ['zai', 'glm-5'],
    ['deepseek', 'deepseek-chat'],
    ['moonshot', 'kimi-k2.6'],
  ])('goes to %s, which has the same switch', (use, model) => {
    expect(asked(use, model, off)).toMatchObject({ json: off, notes: [] });
    expect(asked(use, model, on).json.thinking).toEqual({ type: 'enabled' });
    expect(asked(use, model, { thinking: { type: 'adaptive' } }).json).not.toHaveProperty(
      'thinking',
    );
  });

  test('is off where a tool is forced, as at Anthropic: Moonshot refuses both together', () => {
    const tools = [{ name: 'f', input_schema: { type: 'object' } }];
    const force = (tool_choice: object) => asked('moonshot', 'kimi-k2.6', { tools, tool_choice });
    expect(force({ type: 'any' }).json).toMatchObject({ ...off, tool_choice: 'required' });
    expect(force({ type: 'tool', name: 'f' }).json).toMatchObject(off);
    expect(force({ type: 'auto' }).json).not.toHaveProperty('thinking');
  });

  test('off is told of where nobody knows whether the model thinks', () => {
    expect(asked('nvidia', 'x/y', off).notes).toEqual(['thinking']);
    const older = asked('moonshot', 'moonshot-v1-8k', off);
    expect([older.json.thinking, older.notes]).toEqual([undefined, ['thinking']]);
    expect(asked('openai', 'gpt-4o', off).notes).toEqual([]);
  });
});

describe('sampling', () => {
  const sampling = { temperature: 0.2, stop_sequences: ['a'] };

  test('goes to no deployment at Azure whose name is that of a model that refuses it', () => {
    expect(asked('azure-openai', 'gpt-5-mini', sampling).notes).toEqual(['temperature', 'stop']);
    expect(asked('azure-openai', 'eu-o3', sampling).notes).toEqual(['temperature', 'stop']);
    expect(asked('azure-openai', 'gpt-4o', sampling).notes).toEqual([]);
    expect(asked('azure-openai', 'gpt-5.1', sampling).notes).toEqual([]);
  });

  test('goes to no model of OpenAI’s that is to think', () => {
    const both = { temperature: 0.2, top_p: 1, ...effort('low') };
    const { json, notes } = asked('openai', 'gpt-5.2', both);
    expect(json).toMatchObject({ reasoning_effort: 'low' });
    expect(json).not.toHaveProperty('temperature');
    expect(json).not.toHaveProperty('top_p');
    expect(notes).toEqual(['temperature']);
    expect(asked('groq', 'openai/gpt-oss-20b', both).json).toMatchObject({ temperature: 0.2 });
    // A server of one's own, by OpenAI's dialect.
    expect(asked('openai', 'gpt-oss-20b', both).json).toMatchObject({ temperature: 0.2 });
  });

  test('of the policy’s is left out there as well', () => {
    const openai = make('openai');
    const ask = (body: object) => {
      const patch = { temperature: 0.2 };
      return sent(openai, requestFor('chat.completions', body, { patch, model: 'gpt-5.2' }));
    };
    expect(ask({ reasoning_effort: 'high' }).notes).toEqual(['temperature']);
    expect(ask({ reasoning_effort: 'none' }).json).toMatchObject({ temperature: 0.2 });
    expect(ask({}).json).toMatchObject({ temperature: 0.2 });
  });

  test('xAI’s models that think go without stops, others with them', () => {
    expect(asked('xai', 'grok-4-0709', sampling)).toMatchObject({
      json: { temperature: 0.2 },
      notes: ['stop'],
    });
    for (const model of ['grok-3', 'grok-4.20-0309-non-reasoning']) {
      expect(asked('xai', model, sampling).json).toMatchObject({ stop: ['a'] });
    }
  });
});

describe('a choice of a tool', () => {
  const tools = [
    { type: 'web_search_20250305', name: 'web_search' },
    { name: 'f', input_schema: { type: 'object' } },
  ];

  test.each([{ type: 'tool', name: 'web_search' }, { type: 'new' }, {}])(
    'that nobody could make is none, and is named: %j',
    (tool_choice) => {
      const { json, notes } = asked('openai', 'gpt-4o', { tools, tool_choice });
      expect(json).not.toHaveProperty('tool_choice');
      expect(notes).toEqual(['tools.web_search_20250305', 'tool_choice']);
    },
  );
});

test('a choice of no tool offers none where the host knows no choice', () => {
  const tools = [{ name: 'f', input_schema: { type: 'object' } }];
  const none = asked('ollama', 'llama3.1', { tools, tool_choice: { type: 'none' } });
  expect(none.json).not.toHaveProperty('tools');
  expect(none.notes).toEqual(['tools', 'tool_choice']);
  const auto = asked('ollama', 'llama3.1', { tools, tool_choice: { type: 'any' } });
  expect(auto.json).toHaveProperty('tools');
});

test('fields that say nothing are not told of', () => {
  const empty = { container: null, mcp_servers: [], context_management: {} };
  expect(asked('openai', 'gpt-4o', empty).notes).toEqual([]);
  expect(asked('openai', 'gpt-4o', { mcp_servers: [{}] }).notes).toEqual(['mcp_servers']);
});

describe('calls of tools', () => {
  const called = (id: string) => ({
    messages: [
      HI,
      { role: 'assistant', content: [{ type: 'tool_use', id, name: 'f', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: 'r' }] },
    ],
  });

  function idsOf({ messages }: JsonObject): unknown[] {
    const [, call, result] = messages as readonly JsonObject[];
    return [objectsIn(call?.tool_calls)[0]?.id, result?.tool_call_id];
  }

  test('have ids at Mistral as it takes them, the same for a call and its result', () => {
    const [id, of] = idsOf(asked('mistral', 'mistral-large', called('toolu_01A')).json);
    expect(id).toMatch(/^[A-Za-z0-9]{9}$/);
    expect(of).toBe(id);
    expect(idsOf(asked('mistral', 'm', called('toolu_01A')).json)[0]).toBe(id);
    expect(idsOf(asked('mistral', 'm', called('toolu_01B')).json)[0]).not.toBe(id);
    expect(idsOf(asked('mistral', 'm', called('D681PevKs')).json)).toEqual([
      'D681PevKs',
      'D681PevKs',
    ]);
    expect(idsOf(asked('openai', 'm', called('toolu_01A')).json)).toEqual([
      'toolu_01A',
      'toolu_01A',
    ]);
  });

  test('go to Gemini 3 with the mark without which it refuses them, which is named', () => {
    const callOf = (model: string) => {
      const { json, notes } = asked('gemini', model, called('t'));
      const [, call] = json.messages as readonly JsonObject[];
      return [objectsIn(call?.tool_calls)[0]?.extra_content, notes];
    };
    expect(callOf('gemini-3-pro-preview')).toEqual([
      { google: { thought_signature: 'skip_thought_signature_validator' } },
      ['messages.tool_use'],
    ]);
    expect(callOf('gemini-2.5-flash')).toEqual([undefined, []]);
  });
});
