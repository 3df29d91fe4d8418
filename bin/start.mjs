// The entry of `npm start`: the gateway, with its compiled code cached.
import { cacheCompiled } from './compile-cache.mjs';
import { widenThreadPool } from './thread-pool.mjs';

widenThreadPool(process.env);
cacheCompiled(process.env);
const { main } = await import('../src/main.ts');
await main(process.argv.slice(2));
