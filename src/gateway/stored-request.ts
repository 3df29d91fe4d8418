import { GatewayError } from '../core/errors.ts';
import type { StoredRequest } from '../core/provider.ts';
import { RESPONSES_PATH, STORED_PARTS } from './endpoints.ts';
import type { RequestHead } from './front/inbound.ts';

/** What a request asks of a response, before anybody is asked. */
export type StoredAsked = Omit<StoredRequest, 'relayed'>;

/** Ids of all providers look so; whatever else stands in a path might lead it elsewhere. */
const ID = /^[A-Za-z0-9_-]{1,256}$/;
const QUERY_MAX = { parameters: 32, characters: 2048 };

/**
 * Reads `/v1/responses/{id}` and what lies below it. Nothing of the client's path goes on: the id
 * is checked, the query is written anew. Throws GatewayError.
 */
export function storedAsked({ method = '', url = '' }: RequestHead, path: string): StoredAsked {
  const [, id = '', ...rest] = path.slice(RESPONSES_PATH.length).split('/');
  const below = rest.map((segment) => `/${segment}`).join('');
  if (!isPart(below) || id === '') {
    throw new GatewayError('not_found', `There is no ${method} ${path}.`, { param: 'path' });
  }
  if (!ID.test(id)) {
    const message = 'The id of a response is made of letters, digits, _ and -.';
    throw new GatewayError('bad_request', message, { param: 'response_id' });
  }
  const methods: readonly StoredRequest['method'][] = STORED_PARTS[below];
  const taken = methods.find((one) => one === method);
  if (taken === undefined) {
    const allow = methods.join(', ');
    const message = `${RESPONSES_PATH}/{id}${below} takes ${methods.join(' and ')} only.`;
    throw new GatewayError('method_not_allowed', message, { allow });
  }
  const asked = queryOf(url);
  const stream = taken === 'GET' && below === '' && isStreamed(asked.getAll('stream'));
  const query = asked.size === 0 ? '' : `?${asked.toString()}`;
  return { method: taken, id, part: below, query, stream };
}

function isPart(below: string): below is keyof typeof STORED_PARTS {
  return Object.hasOwn(STORED_PARTS, below);
}

function queryOf(url: string): URLSearchParams {
  const at = url.indexOf('?');
  const query = new URLSearchParams(at < 0 ? '' : url.slice(at));
  const { parameters, characters } = QUERY_MAX;
  if (query.size <= parameters && String(query).length <= characters) return query;
  throw new GatewayError('bad_request', 'The query is too long.', { param: 'query' });
}

/** What a provider might read otherwise than we do is asked of nobody. */
function isStreamed([asked, ...more]: readonly string[]): boolean {
  if (more.length > 0) {
    throw new GatewayError('bad_request', 'stream is asked once.', { param: 'stream' });
  }
  if (asked === undefined || asked === 'false') return false;
  if (asked === 'true') return true;
  throw new GatewayError('bad_request', 'stream is true or false.', { param: 'stream' });
}
