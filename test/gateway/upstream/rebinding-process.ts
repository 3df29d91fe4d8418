import { once } from 'node:events';
import { createServer } from 'node:http';
import { type NameAnswer, startNameServer } from '../../kit/name-server.ts';
import { portOf } from '../../kit/ports.ts';
import { ask, startGateway } from '../gateway-kit.ts';
import { makeSnapshot } from '../snapshot.ts';
import { type Played, PUBLIC, type Rebinding, VICTIMS } from './rebinding.ts';

/**
 * A gateway in a network of its own, in which a public address, addresses of a site and the only
 * name server there is are all this process: plays what it is sent and tells what came of it.
 */
const answers: NameAnswer[] = [];
/** The system asks for both families at once, in either order. */
let questions = { A: 0, AAAA: 0 };
await startNameServer(
  (_name, kind) => {
    if (kind === null) return [];
    questions[kind] += 1;
    return answers[questions[kind] - 1] ?? [];
  },
  { host: '127.0.0.1', port: 53 },
);
const reached: string[] = [];

/** Somebody at an address who answers like a model, so that whoever is reached is believed. */
async function listen(host: string, port: number) {
  const server = createServer((request, response) => {
    reached.push(`${host} ${request.headers.authorization ?? 'no key'}`);
    request.resume().once('end', () => {
      response.writeHead(200, { 'content-type': 'application/json', connection: 'close' });
      const message = { role: 'assistant', content: host };
      const choices = [{ index: 0, message, finish_reason: 'stop' }];
      response.end(JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion', choices }));
    });
  });
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}

const first = await listen(PUBLIC, 0);
const port = portOf(first);
await Promise.all(VICTIMS.map((host) => listen(host, port)));

async function play({ network, answers: given }: Rebinding): Promise<Played> {
  answers.splice(0, answers.length, ...given);
  questions = { A: 0, AAAA: 0 };
  reached.length = 0;
  const main = { url: `http://rebind.test:${port}/v1`, network };
  const retry = { retries: 0, backoff_ms: [1, 5] } as const;
  const gateway = await startGateway(makeSnapshot({ targets: { main }, resilience: { retry } }));
  const statuses: number[] = [];
  for (const _answer of given) {
    const response = await gateway.post(ask());
    await response.text();
    statuses.push(response.status);
  }
  await gateway.close();
  return { statuses, reached: [...reached], questions: questions.A };
}

process.on('message', (rebinding: Rebinding) => {
  void play(rebinding).then((played) => process.send?.(played));
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
