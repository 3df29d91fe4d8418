import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';

/** Requests of one connection that may wait for the answer before theirs; no more are read. */
const WAITING_MAX = 64;

/**
 * Serves the requests of a connection one after another, also where a client sends them without
 * waiting. Node would begin them all at once, but closes only the first one's response when the
 * client leaves; and where an answer closes the connection, what was sent behind it must not be
 * served (RFC 9112 §9.6).
 */
export function inTurn(serve: RequestListener): RequestListener {
  const waiting = new WeakMap<Socket, number>();
  return (request, response) => {
    const { socket } = request;
    if (response.socket) {
      // What had been read already when the answer before it ended the connection.
      if (socket.writable) serve(request, response);
      return;
    }
    const count = (waiting.get(socket) ?? 0) + 1;
    waiting.set(socket, count);
    if (count >= WAITING_MAX) socket.pause();
    response.once('socket', () => {
      const left = (waiting.get(socket) ?? 1) - 1;
      waiting.set(socket, left);
      if (left === WAITING_MAX - 1) socket.resume();
      serve(request, response);
    });
  };
}
