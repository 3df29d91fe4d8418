import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { portOf } from '../kit/ports.ts';
import { ask, startGateway } from './gateway-kit.ts';
import { createMemoryBus } from './memory-bus.ts';
import { makeSnapshot } from './snapshot.ts';

const ANSWER = Buffer.from(
  JSON.stringify({ id: 'x', choices: [{ message: { role: 'assistant', content: 'yes' } }] }),
);
const CALLS = 2500;
const AT_ONCE = 16;

/**
 * What a call leaves in the old generation until a full collection: a structure of the gateway's
 * whose dead parts point to younger ones drags whole calls there: a third of a call's CPU.
 */
test('a call leaves nothing behind that only a full collection would find', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const upstream = createServer((asked, response) => {
    asked.resume().on('end', () => {
      response.writeHead(200, ['content-type', 'application/json']).end(ANSWER);
    });
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const bus = { ...createMemoryBus(), publish: () => true };
  const snapshot = makeSnapshot({ targets: { main: `http://127.0.0.1:${portOf(upstream)}/v1` } });
  const gateway = await startGateway(snapshot, { bus });
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const body = Buffer.from(JSON.stringify(ask('hello '.repeat(100))));
  const headers = { 'content-type': 'application/json', 'content-length': body.length };
  const call = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const { port } = gateway;
      const to = { port, host: '127.0.0.1', path: '/v1/chat/completions', method: 'POST' };
      const asking = request({ ...to, agent, headers }, (answer) => {
        expect(answer.statusCode).toBe(200);
        answer.resume().on('end', resolve);
      });
      asking.on('error', reject).end(body);
    });
  const calls = async (count: number): Promise<void> => {
    let left = count;
    const one = async (): Promise<void> => {
      for (; left > 0; left -= 1) await call();
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
  };
  try {
    // First what is made once: code, its feedback, connections.
    await calls(CALLS);
    collect();
    const before = oldBytes();
    await calls(CALLS);
    expect((oldBytes() - before) / CALLS).toBeLessThan(2500);
  } finally {
    agent.destroy();
    await gateway.close();
    upstream.close();
  }
}, 60_000);

function oldBytes(): number {
  const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space');
  return space?.space_used_size ?? 0;
}
