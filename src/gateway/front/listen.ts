import { type AddressInfo, createServer, type Server } from 'node:net';
import { GatewayError } from '../../core/errors.ts';

/**
 * Connections that may wait to be accepted, as far as the system lets them. The kernel drops those
 * beyond, and their clients try again after 1, 3, 7 … seconds; Node's own 511 are soon full where
 * many come back together.
 */
const BACKLOG = 4096;

/** Listens, and says in one line what to do where the port is taken. Resolves with the port. */
export function listen(
  server: Server,
  host: string,
  port: number,
  variable = 'HIVE_PORT',
): Promise<number> {
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException): void =>
      reject(listenError(error, host, port, variable));
    server.once('error', refuse);
    server.listen(port, host, BACKLOG, () => {
      server.off('error', refuse);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/**
 * Refuses a start whose admin port is taken: the worker, which listens there, is a child, and would
 * only be restarted for ever.
 */
export async function assertFree(host: string, port: number, variable: string): Promise<void> {
  if (port === 0) return;
  const probe = createServer();
  await listen(probe, host, port, variable);
  await new Promise((resolve) => probe.close(resolve));
}

function listenError(
  error: NodeJS.ErrnoException,
  host: string,
  port: number,
  variable: string,
): GatewayError {
  const at = `${host}:${port}`;
  const other = `set ${variable} to another port`;
  const code = error.code ?? error.message;
  const message =
    code === 'EADDRINUSE'
      ? `${at} is in use: stop what listens there, or ${other}`
      : code === 'EACCES'
        ? `${at} may not be listened on without more rights (EACCES): ${other}`
        : `${at} cannot be listened on (${code}): set HIVE_HOST to an address of this machine`;
  return new GatewayError('not_ready', message, { param: variable }, error);
}
