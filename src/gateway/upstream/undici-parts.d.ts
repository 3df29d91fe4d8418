/**
 * The one part of undici that the gateway is made of: how to dial, in clear and over TLS. Its index
 * loads fetch, WebSocket, caches and mocks as well, which cost every start 45 ms and 14 MB.
 */
declare module 'undici/lib/core/connect.js' {
  import { buildConnector } from 'undici';

  export = buildConnector;
}
