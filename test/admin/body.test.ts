import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BODY_BYTES_MAX } from '../../src/admin/body.ts';
import { type HttpConnection, openHttp } from '../kit/http-connection.ts';
import { type RunningAdmin, startAdmin } from './admin-kit.ts';

const MIB = 1024 * 1024;
const PART = Buffer.alloc(64 * 1024, 'x');

describe('a body over the limit', () => {
  let running: RunningAdmin;
  let connection: HttpConnection;
  beforeEach(async () => {
    running = await startAdmin();
    connection = await openHttp(running.port);
  });
  afterEach(async () => {
    connection.socket.destroy();
    await running.admin.close();
  });

  const head = (line: string, framing: string): string =>
    [
      `${line} HTTP/1.1`,
      `host: 127.0.0.1:${running.port}`,
      'content-type: application/json',
      framing,
      '',
      '',
    ].join('\r\n');
  const other = (): string => head('GET /health', 'x-nothing: 1');

  test.each([
    ['announced', (bytes: number) => `content-length: ${bytes}`, false],
    ['in chunks', () => 'transfer-encoding: chunked', true],
  ])('that is %s is a 413, and what comes behind it is served', async (_how, framing, chunked) => {
    let error: Error | null = null;
    connection.socket.once('error', (thrown) => {
      error = thrown;
    });
    const bytes = BODY_BYTES_MAX + 4 * MIB;
    await connection.write(head('POST /api/v1/oracle/validate', framing(bytes)));
    for (let sent = 0; sent < bytes; sent += PART.length) {
      if (chunked) await connection.write(`${PART.length.toString(16)}\r\n`);
      await connection.write(PART);
      if (chunked) await connection.write('\r\n');
    }
    if (chunked) await connection.write('0\r\n\r\n');
    const refused = await connection.answer();
    expect(refused.status).toBe(413);
    expect(JSON.parse(refused.body.toString())).toEqual({
      error: {
        code: 'body_too_large',
        message: 'The body is larger than 4 MiB.',
        param: null,
        details: null,
      },
    });
    await connection.write(other());
    expect((await connection.answer('GET')).status).toBe(200);
    expect(error).toBeNull();
  });

  test('that would never end is refused at once, and its connection closed', async () => {
    await connection.write(head('POST /api/v1/oracle/validate', `content-length: ${1024 * MIB}`));
    const refused = await connection.answer();
    expect(refused.status).toBe(413);
    expect(refused.header('connection')).toBe('close');
    await connection.end();
  });
});
