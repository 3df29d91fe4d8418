import { expect, test } from 'vitest';
import { dialectOf, type Endpoint } from '../../src/core/call.ts';

test('dialectOf gives Anthropic its own routes, and OpenAI the rest', () => {
  const dialects: Record<Endpoint, 'openai' | 'anthropic'> = {
    'chat.completions': 'openai',
    responses: 'openai',
    'responses.input_tokens': 'openai',
    'responses.compact': 'openai',
    completions: 'openai',
    embeddings: 'openai',
    moderations: 'openai',
    messages: 'anthropic',
    'messages.count_tokens': 'anthropic',
  };
  for (const [endpoint, dialect] of Object.entries(dialects)) {
    expect(dialectOf(endpoint as Endpoint)).toBe(dialect);
  }
});
