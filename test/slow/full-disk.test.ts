import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Product, startProduct } from '../kit/product.ts';
import { until } from '../kit/until.ts';
import { answer, startUpstream, type Upstream } from '../kit/upstream.ts';
import { steadyLoad } from './gateway-load.ts';

/** A file system of its own that can be filled: only root may mount one. */
const may = process.getuid?.() === 0 && process.platform === 'linux';
const SIZE = '400m';
let dir: string | null = null;
let upstream: Upstream;
let product: Product | null = null;

beforeAll(async () => {
  if (!may) return;
  dir = mkdtempSync(join(tmpdir(), 'hive-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs', dir]);
  upstream = await startUpstream(answer('fine'));
  product = await startProduct({
    policies: { 'gateway.yaml': policy(), 'oracle_policies.yaml': 'version: 1\n' },
    env: { UPSTREAM_URL: upstream.url, UPSTREAM_KEY: 'sk-x' },
    data_dir: join(dir, 'data'),
  });
});
afterAll(async () => {
  await product?.stop();
  await upstream?.close();
  if (dir === null) return;
  execFileSync('umount', ['-l', dir]);
  rmSync(dir, { recursive: true, force: true });
});

function policy(): string {
  return `version: 1
providers:
  main: { use: openai, base_url: "\${UPSTREAM_URL}", api_key: "\${UPSTREAM_KEY}", network: private }
targets: { main: { provider: main, model: m } }
agents: { default: { targets: [main] } }
`;
}

/** Takes all the room that is left. */
function fill(path: string): void {
  const file = openSync(path, 'a');
  let block = Buffer.alloc(1024 * 1024);
  for (;;) {
    try {
      writeSync(file, block);
    } catch {
      if (block.length <= 512) break;
      block = Buffer.alloc(block.length / 2);
    }
  }
  closeSync(file);
}

test.skipIf(!may)(
  'a full disk costs no call, and feedback is taken again once there is room',
  async () => {
    const { gateway_url } = product as Product;
    const rate = async (): Promise<number> => {
      const response = await fetch(`${gateway_url}/feedback`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ call_id: 'call_none', rating: 4 }),
      });
      await response.text();
      return response.status;
    };
    expect(await rate()).toBe(202);
    const load = steadyLoad(gateway_url, 'default', 2);
    const filler = join(dir as string, 'filler');
    fill(filler);
    // Small remains are filled by whoever else writes.
    const refused = async (): Promise<boolean> => {
      fill(filler);
      return (await rate()) === 503;
    };
    await until(refused, {
      what: 'feedback to be refused',
      deadline_ms: 30_000,
    });
    const before = load.times_ms.length;
    await until(() => load.times_ms.length > before + 1000, {
      what: 'calls on a full disk',
      deadline_ms: 60_000,
    });
    unlinkSync(filler);
    await until(async () => (await rate()) === 202, {
      what: 'feedback to be taken again',
      deadline_ms: 30_000,
    });
    await load.stop();
    process.stdout.write(`${load.times_ms.length} calls, ${load.failures.length} failed\n`);
    expect(load.failures).toEqual([]);
    expect((product as Product).exit()).toBe(null);
  },
  150_000,
);
