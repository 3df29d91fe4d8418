import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { describe, expect, test } from 'vitest';
import { silentLog } from '../../src/core/log.ts';
import { createMetrics } from '../../src/core/metrics.ts';
import type { Bus } from '../../src/events/bus.ts';
import { openJournal } from '../../src/events/journal.ts';
import { world } from './feedback-world.ts';
import { createMemoryBus } from './memory-bus.ts';

async function listening(bus: Bus) {
  // As the gateway makes it: then a request is the adapter's own object, not Node's.
  const options = { overrideGlobalObjects: false };
  const listener = getRequestListener(world({ bus }).app.fetch, options);
  const server = createServer((request, response) => void listener(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/feedback`;
  const post = (body: string | ReadableStream) =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      duplex: 'half',
    });
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { post, close };
}

describe('feedback over a socket', () => {
  test('feedback is in the journal, whole and once, when its 202 arrives', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'hive-feedback-'));
    const bus = await openJournal({
      dir,
      writer: 'g0-test',
      waiting_max: 10_000,
      policy_ms: () => 0,
      metrics: createMetrics(),
      log: silentLog,
    });
    const { post, close } = await listening(bus);
    try {
      const answers = await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          const response = await post(JSON.stringify({ call_id: `call_${index}`, rating: 4 }));
          expect(response.status).toBe(202);
          return ((await response.json()) as { feedback_id: string }).feedback_id;
        }),
      );
      const files = (await readdir(dir)).map((name) => readFile(join(dir, name), 'utf8'));
      const text = (await Promise.all(files)).join('');
      for (const id of answers) expect(text.split(`"${id}.rating"`)).toHaveLength(2);
    } finally {
      close();
      await bus.close();
      await rm(dir, { recursive: true });
    }
  });

  test('feedback that is too large is refused, whether it says its length or not', async () => {
    const bus = createMemoryBus();
    const { post, close } = await listening(bus);
    const large = JSON.stringify({ call_id: 'c', rating: 4, comment: 'x'.repeat(70_000) });
    try {
      expect((await post(large)).status).toBe(413);
      expect((await post(new Blob([large]).stream())).status).toBe(413);
      expect((await post(new Blob(['{"call_id":"c","rating":4}']).stream())).status).toBe(202);
      expect(bus.records).toHaveLength(1);
    } finally {
      close();
    }
  });
});
