import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { CliContext } from '../../src/cli/command.ts';
import { runLab } from '../../src/cli/lab-commands.ts';
import { commands, runCommand } from '../../src/cli/run-command.ts';
import { runCli } from '../../src/cli.ts';
import { hive, type Ran } from './cli-kit.ts';

/** A port on which nothing listens: bound and given back. */
async function deadPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** In this process, for command lines that end before they reach anything. */
async function runHere(args: readonly string[]): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const print = (line: string): void => void out.push(`${line}\n`);
  const warn = (line: string): void => void err.push(`${line}\n`);
  const lab = (words: readonly string[]) => runLab(words, { print, warn, open: never });
  const code = await runCommand(args, { ...unreachable, print, warn, lab });
  return { code, out: out.join(''), err: err.join('') };
}

const never = (): never => {
  throw new Error('a command line that is refused reaches nothing');
};
const unreachable: Omit<CliContext, 'print' | 'warn' | 'lab'> = {
  env: {},
  readInput: never,
  fetch: never,
  pause: never,
  brake: {
    dataExists: never,
    sameDir: never,
    readControl: never,
    writeControl: never,
    liveRows: never,
  },
  start: never,
  check: never,
  product_version: '0.1.0',
};

describe('hive', () => {
  test('hive without words lists every command', async () => {
    const ran = await hive([]);
    expect(ran.code).toBe(0);
    for (const { name } of commands) expect(ran.out).toContain(`\n  ${name} `);
  });

  test('hive names each command once', () => {
    const names = commands.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  test.each(commands.map(({ name }) => name))('hive %s --help shows an example', async (name) => {
    const ran = await runHere([name, '--help']);
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toContain(`Usage: hive ${name}`);
    expect(ran.out).toMatch(new RegExp(`Example: (hive ${name}|.*\\| hive ${name})`));
  });

  test('hive prompts --help shows the words and flags of each of its forms', async () => {
    const { out } = await runHere(['prompts', '--help']);
    expect(out).toMatch(/^Usage: hive prompts list\n {7}hive prompts show NAME \[--days N\]\n/m);
    expect(out).toMatch(/^ {7}hive prompts import NAME FILE .*--anchor TEXT/m);
  });

  test.each([
    [['tikc'], /^hive: unknown command "tikc": did you mean tick\? .*\n$/],
    [['--port', '1'], /^hive: unknown flag before the command "--port": .*\n$/],
    [['tick', '--fast'], /^hive: Unknown option '--fast'; see: hive tick --help\n$/],
    [['tick', 'now'], /^hive: too many words for hive tick; usage: hive tick\n$/],
    [['approve'], /^hive: too few words for hive approve; usage: hive approve PLAN .*\n$/],
    [['plans', '--state'], /^hive: Option '--state <value>' argument missing; see: .*\n$/],
    [['analyze', '--hours', 'two'], /^hive: --hours is a number, not "two"\n$/],
    [['status', '--admin', 'localhost'], /^hive: --admin is a URL such as .*\n$/],
  ])('hive %j is one clear line and exit code 2', async (args, line) => {
    const ran = await runHere(args);
    expect(ran.err).toMatch(line);
    expect(ran).toMatchObject({ code: 2, out: '' });
  });

  test('hive ends with the exit code of a misuse', async () => {
    expect(await hive(['tick', '--fast'])).toMatchObject({ code: 2, out: '' });
  });

  test('hive says how to start what does not run', async () => {
    const port = String(await deadPort());
    const ran = await hive(['status'], { env: { HIVE_ADMIN_PORT: port } });
    expect(ran.code).toBe(1);
    expect(ran.err).toMatch(/^hive: the admin API at http:.* cannot be reached .*"npm start".*\n$/);
    expect(ran.err).toContain(port);
  });

  test('hive says so where something else answers', async () => {
    const server = createServer((_, response) => void response.end('<html>'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const ran = await hive(['tick', '--admin', `http://127.0.0.1:${port}/`]);
    expect(ran.code).toBe(1);
    expect(ran.err).toMatch(/does not answer as Liquid Hive's admin API does\n$/);
    await new Promise((resolve) => server.close(resolve));
  });

  test('runCli resolves with the exit code instead of ending the process', async () => {
    expect(await runCli(['no-such-command'])).toBe(2);
  });
});
