import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { portOf } from './ports.ts';

/**
 * A TCP proxy that can lose connections as a network does: from a `freeze` on nothing of those that
 * stand is forwarded in either way, and nobody is told. Those that come later are forwarded.
 */
export interface FrozenProxy {
  /** The base URL with `/v1`, as a policy writes it. */
  readonly url: string;
  readonly port: number;
  /** Connections that have come. */
  readonly dialled: number;
  /** Connections that their client has not closed. */
  readonly open: number;
  freeze(): void;
  close(): Promise<void>;
}

export async function startFrozenProxy(to_port: number): Promise<FrozenProxy> {
  const pairs: { readonly near: Socket; readonly far: Socket; frozen: boolean }[] = [];
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port: to_port, host: '127.0.0.1', allowHalfOpen: true });
    const pair = { near, far, frozen: false };
    pairs.push(pair);
    const forward = (from: Socket, to: Socket): void => {
      from.on('error', () => {});
      from.on('data', (bytes) => {
        if (!pair.frozen) to.write(bytes);
      });
      from.on('end', () => {
        if (!pair.frozen) to.end();
      });
    };
    forward(near, far);
    forward(far, near);
    // Its client has hung up: that much the test wants to see, whatever was lost.
    near.on('end', () => near.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  return {
    url: `http://127.0.0.1:${port}/v1`,
    port,
    get dialled() {
      return pairs.length;
    },
    get open() {
      return pairs.filter(({ near }) => !near.destroyed).length;
    },
    freeze() {
      for (const pair of pairs) pair.frozen = true;
    },
    async close() {
      for (const { near, far } of pairs) {
        near.destroy();
        far.destroy();
      }
      server.close();
      await once(server, 'close');
    },
  };
}
