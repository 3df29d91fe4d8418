import type { Behaviour, Exchange } from './upstream.ts';

/** What OpenAI's endpoints beside chat answer. */
export function openAiEndpoints(): Behaviour {
  return (exchange) => {
    const { path, body } = exchange.request;
    const route = Object.keys(ANSWERS).find((name) => path.endsWith(name));
    if (path.endsWith('/responses') && body.stream === true) return streamResponse(exchange);
    if (path.endsWith('/completions') && body.stream === true) return streamCompletion(exchange);
    const answer = route === undefined ? { nothing: path } : ANSWERS[route];
    exchange.response.writeHead(200, { 'content-type': 'application/json' });
    exchange.response.end(JSON.stringify({ ...answer, model: body.model ?? 'scripted' }));
    return undefined;
  };
}

const RESPONSE = {
  id: 'resp_1',
  object: 'response',
  created_at: 1_700_000_000,
  status: 'completed',
  error: null,
  output: [
    {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: 'two words', annotations: [] }],
    },
  ],
  usage: {
    input_tokens: 7,
    input_tokens_details: { cached_tokens: 3 },
    output_tokens: 2,
    total_tokens: 9,
  },
};

const ANSWERS: Readonly<Record<string, object>> = {
  '/responses': RESPONSE,
  '/completions': {
    id: 'cmpl_1',
    object: 'text_completion',
    created: 1_700_000_000,
    choices: [{ index: 0, text: 'two words', finish_reason: 'stop', logprobs: null }],
    usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  },
  '/embeddings': {
    object: 'list',
    data: [{ object: 'embedding', index: 0, embedding: [0.5, -1] }],
    usage: { prompt_tokens: 4, total_tokens: 4 },
  },
  '/moderations': {
    id: 'modr_1',
    results: [{ flagged: false, categories: {}, category_scores: {} }],
  },
};

async function streamResponse(exchange: Exchange): Promise<void> {
  const { response } = exchange;
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const unfinished = { ...RESPONSE, status: 'in_progress', output: [], usage: null };
  const item = { item_id: 'msg_1', output_index: 0, content_index: 0, logprobs: [] };
  const begun = { id: 'msg_1', type: 'message', role: 'assistant', status: 'in_progress' };
  const part = { type: 'output_text', text: '', annotations: [] };
  const events: { readonly type: string; readonly [field: string]: unknown }[] = [
    { type: 'response.created', response: unfinished },
    { type: 'response.output_item.added', output_index: 0, item: { ...begun, content: [] } },
    { type: 'response.content_part.added', ...item, part },
    { type: 'response.output_text.delta', ...item, delta: 'two ' },
    { type: 'response.output_text.delta', ...item, delta: 'words' },
    { type: 'response.completed', response: RESPONSE },
  ];
  const cut = exchange.request.body.input === 'cut';
  for (const [sequence_number, event] of (cut ? events.slice(0, 4) : events).entries()) {
    const data = JSON.stringify({ ...event, sequence_number });
    await write(exchange, `event: ${event.type}\ndata: ${data}\n\n`);
  }
  if (cut) exchange.cut('end');
  else response.end();
}

async function streamCompletion(exchange: Exchange): Promise<void> {
  const { response } = exchange;
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const base = { id: 'cmpl_1', object: 'text_completion', created: 1, model: 'scripted' };
  for (const [text, finish_reason] of [
    ['two ', null],
    ['words', 'stop'],
  ] as const) {
    const choices = [{ index: 0, text, finish_reason, logprobs: null }];
    await write(exchange, `data: ${JSON.stringify({ ...base, choices })}\n\n`);
  }
  response.end('data: [DONE]\n\n');
}

function write({ response }: Exchange, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    response.write(event, (error) => (error ? reject(error) : resolve()));
  });
}
