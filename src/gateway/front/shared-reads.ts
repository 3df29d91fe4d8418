import { Socket } from 'node:net';

/**
 * Sockets that were accepted read into one buffer, as those that connect may by `onread` of
 * `net.connect`: what comes is heard in the very call that has read it. Node has no such option for
 * the sockets of a server, so they are given what `onread` would have given them (decision 0019).
 */
export interface SharedReads {
  /**
   * From now on `take` gets what comes on the socket; the bytes are its own only until it returns.
   * False where this Node has not got what it takes: then the socket reads as it did.
   */
  begin(socket: Socket, take: (bytes: Buffer) => void): boolean;
  /** What comes is read by whoever listens to the socket again. */
  end(socket: Socket): void;
}

/** What libuv suggests to read at once. */
const READ_BYTES = 64 * 1024;

export function createSharedReads(): SharedReads {
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  const names = namesOfOnread();
  return {
    begin(socket, take) {
      const handle = (socket as Accepted)._handle;
      if (names === null || typeof handle?.useUserBuffer !== 'function') return false;
      Reflect.set(socket, names.buffer, buffer);
      Reflect.set(socket, names.callback, (length: number, bytes: Buffer): boolean => {
        take(bytes.subarray(0, length));
        return true;
      });
      handle.useUserBuffer(buffer);
      return true;
    },
    end(socket) {
      if (names === null || Reflect.get(socket, names.buffer) !== buffer) return;
      // The handle cannot be told to read as it did: what it reads is handed on.
      Reflect.set(socket, names.callback, (length: number, bytes: Buffer): boolean =>
        socket.push(Buffer.from(bytes.subarray(0, length))),
      );
    },
  };
}

/** An accepted socket's handle, as far as it is looked at. */
interface Accepted extends Socket {
  readonly _handle?: { useUserBuffer?(buffer: Uint8Array): void } | null;
}

/** Under which names a socket keeps the parts of its `onread`. */
function namesOfOnread(): { readonly buffer: symbol; readonly callback: symbol } | null {
  const socket = new Socket({ onread: { buffer: Buffer.alloc(1), callback: () => true } });
  const symbols = Object.getOwnPropertySymbols(socket);
  const buffer = symbols.find(({ description }) => description === 'kBuffer');
  const callback = symbols.find(({ description }) => description === 'kBufferCb');
  socket.destroy();
  return buffer === undefined || callback === undefined ? null : { buffer, callback };
}
