import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { freePorts } from '../kit/ports.ts';
import { descendantsOf, isAlive, signal } from '../kit/processes.ts';
import { REPO } from '../kit/product.ts';
import { until } from '../kit/until.ts';

const run = promisify(execFile);
const dir = mkdtempSync(join(tmpdir(), 'hive-clone-'));
const clone = join(dir, 'liquid-hive');
const started: number[] = [];

afterAll(async () => {
  const all = started.flatMap((pid) => [...descendantsOf(pid)]);
  for (const pid of started) signal(pid, 'SIGTERM');
  for (const one of all) if (isAlive(one)) signal(one.pid, 'SIGTERM');
  await until(() => !all.some(isAlive), { what: 'the clone’s processes to end' });
  rmSync(dir, { recursive: true, force: true });
});

test('a clean clone serves with its first command, and the banner’s curl works', async () => {
  await run('git', ['clone', '--quiet', REPO, clone]);
  await run('npm', ['ci', '--prefer-offline'], { cwd: clone, timeout: 180_000 });
  const [port, admin_port] = await freePorts(2);
  const child = spawn('npm', ['start'], {
    cwd: clone,
    env: { ...process.env, HIVE_PORT: String(port), HIVE_ADMIN_PORT: String(admin_port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.push(child.pid ?? 0);
  let output = '';
  child.stdout.on('data', (part: Buffer) => {
    output += part.toString();
  });
  const ready = async (): Promise<boolean> => {
    const gateway = await fetch(`http://127.0.0.1:${port}/ready`);
    const admin = await fetch(`http://127.0.0.1:${admin_port}/ready`);
    return gateway.ok && admin.ok && output.includes('curl');
  };
  await until(ready, { what: 'the product', deadline_ms: 60_000, every_ms: 100 });

  const lines = output.slice(output.indexOf('Liquid Hive')).trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(12);
  expect(output).toContain('demo model: repeats one lower-case word');
  // The command that the banner ends with, as a newcomer pastes it.
  const command = output.slice(output.indexOf('curl ')).replace(/\\\n\s*/g, ' ');
  const { stdout } = await run('bash', ['-c', command]);
  expect(JSON.parse(stdout)).toMatchObject({
    choices: [{ message: { role: 'assistant', content: 'hello' } }],
  });
}, 300_000);
