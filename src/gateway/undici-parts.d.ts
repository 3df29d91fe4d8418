/**
 * The two parts of undici that the gateway is made of. Its index loads fetch, WebSocket, caches and
 * mocks as well, which cost every start 45 ms and the process 14 MB for nothing.
 */
declare module 'undici/lib/dispatcher/pool.js' {
  import { Pool } from 'undici';

  export = Pool;
}

declare module 'undici/lib/core/connect.js' {
  import { buildConnector } from 'undici';

  export = buildConnector;
}
