import type { Dialect } from '../core/call.ts';
import { GatewayError } from '../core/errors.ts';
import { errorBody } from './error-body.ts';

export const HEADER_BYTES_MAX = 16 * 1024;

/**
 * The whole answer to what could not be parsed, or was too slow to come: there is no request to be
 * answered, so it is written on the connection itself, which ends with it. `code` is Node's.
 */
export function rawRefusal(code: string | undefined, dialect: Dialect, id: string): string {
  const [status, refusal] = refusalOf(code);
  const body = JSON.stringify(errorBody(refusal, dialect, id));
  const head = [
    `HTTP/1.1 ${status}`,
    'connection: close',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${id}`,
    `x-hive-call-id: ${id}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

export const TOO_SLOW = 'ERR_HTTP_REQUEST_TIMEOUT';

function refusalOf(code: string | undefined): [string, GatewayError] {
  if (code === TOO_SLOW) {
    const message = 'The request took too long to arrive.';
    return ['408 Request Timeout', new GatewayError('request_timeout', message)];
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    const message = `The request's headers are larger than ${HEADER_BYTES_MAX} bytes.`;
    return ['431 Request Header Fields Too Large', new GatewayError('bad_request', message)];
  }
  return ['400 Bad Request', new GatewayError('bad_request', 'This is not HTTP.')];
}
