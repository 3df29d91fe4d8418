// The command line on a Node that runs TypeScript, with its compiled code cached.
import { cacheCompiled } from './compile-cache.mjs';
import { widenThreadPool } from './thread-pool.mjs';

widenThreadPool(process.env);
cacheCompiled(process.env);
const { runCli } = await import('../src/cli.ts');
process.exitCode = await runCli(process.argv.slice(2));
