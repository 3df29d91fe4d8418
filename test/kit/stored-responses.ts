import { type Behaviour, type Exchange, openAiError } from './upstream.ts';

/** A provider that keeps the responses that it gives, under ids that begin with its name. */
export function storedResponses(name: string): Behaviour {
  const kept = new Map<string, Kept>();
  return async (exchange) => {
    const { method, body } = exchange.request;
    const { id, part, query } = pathOf(exchange.request.path);
    if (id === 'input_tokens') {
      return send(exchange, 200, { object: 'response.input_tokens', input_tokens: 11 });
    }
    if (id === 'compact') return send(exchange, 200, { ...COMPACTED, id: `resp_${name}_compact` });
    if (id === '') {
      const made = make(`resp_${name}_${kept.size + 1}`, body);
      kept.set(made.id, made);
      return body.stream === true ? stream(exchange, made) : send(exchange, 200, made);
    }
    const found = kept.get(id);
    if (!found) {
      return send(exchange, 404, openAiError(404, `Response with id '${id}' not found.`));
    }
    if (method === 'DELETE') {
      kept.delete(id);
      return send(exchange, 200, { id, object: 'response', deleted: true });
    }
    if (part === '/input_items') {
      const item = { id: 'msg_1', type: 'message', role: 'user', content: [] };
      const data = [item];
      return send(exchange, 200, { object: 'list', data, first_id: 'msg_1', last_id: 'msg_1' });
    }
    if (part === '/cancel') kept.set(id, { ...found, status: 'cancelled' });
    if (query.get('stream') === 'true') return stream(exchange, found);
    return send(exchange, 200, kept.get(id) ?? found);
  };
}

function pathOf(path: string) {
  const [where = '', query = ''] = path.split('?');
  const [, id = '', part = ''] = /\/responses\/([^/]+)(\/\w+)?$/.exec(where) ?? [];
  return { id, part, query: new URLSearchParams(query) };
}

interface Kept {
  readonly object: string;
  readonly created_at: number;
  readonly model: string;
  readonly output: readonly object[];
  readonly id: string;
  readonly status: string;
  readonly error: object | null;
}

const COMPACTED = {
  object: 'response.compaction',
  created_at: 1,
  output: [{ id: 'cmp_1', type: 'compaction', encrypted_content: 'x' }],
  usage: { input_tokens: 40, output_tokens: 4, total_tokens: 44 },
};

/** One whose input is `fail` has failed, once it is looked at again. */
function make(id: string, { input }: Readonly<Record<string, unknown>>): Kept {
  const failed = input === 'fail';
  const said = {
    id: 'msg_2',
    type: 'message',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text: `said by ${id}`, annotations: [] }],
  };
  return {
    id,
    status: failed ? 'failed' : 'completed',
    error: failed ? { code: 'server_error', message: 'it broke' } : null,
    object: 'response',
    created_at: 1,
    model: 'm',
    output: failed ? [] : [said],
  };
}

function send({ response }: Exchange, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function stream(exchange: Exchange, made: Kept): Promise<void> {
  const { response } = exchange;
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const event = (type: string, of: object, sequence_number: number) => {
    const data = JSON.stringify({ type, sequence_number, response: of });
    response.write(`event: ${type}\ndata: ${data}\n\n`);
  };
  event('response.created', { ...made, status: 'in_progress', error: null, output: [] }, 0);
  // A client that asks about it while it goes on.
  if (exchange.request.body.input === 'wait') await exchange.over;
  event(`response.${made.status}`, made, 1);
  response.end();
}
