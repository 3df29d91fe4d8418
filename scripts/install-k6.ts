import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findK6, K6_VERSION } from '../bench/k6.ts';

// Builds k6 into bench/bin with Go: `npm run bench:install`. Takes a minute or two.
const bin = fileURLToPath(new URL('../bench/bin', import.meta.url));
const go = spawnSync('go', ['version'], { encoding: 'utf8' });
if (go.status !== 0) {
  process.stderr.write('Go is missing: install Go 1.25 or later, or k6 itself, then try again.\n');
  process.exit(2);
}
mkdirSync(bin, { recursive: true });
const built = spawnSync('go', ['install', `go.k6.io/k6@v${K6_VERSION}`], {
  env: { ...process.env, GOBIN: bin },
  stdio: 'inherit',
});
if (built.status !== 0) process.exit(1);
process.stdout.write(`k6 ${K6_VERSION} is at ${findK6({ K6_BIN: `${bin}/k6` })}\n`);
