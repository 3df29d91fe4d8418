import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NameAnswer } from '../../kit/name-server.ts';
import { type Played, PUBLIC, type Rebinding, VICTIMS } from './rebinding.ts';

const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
const OWN_NETWORK = ['-r', '-n', '-m'];
/** The system asks for addresses of a family only where it has one beside loopback. */
const UP = ['set -e', 'ip link set lo up', 'ip address add 2a00::1/128 dev lo'];
const may = spawnSync('unshare', [...OWN_NETWORK, 'sh', '-c', UP.join('\n')], { env });

/**
 * DNS rebinding, played for real: the system's own resolver asks our name server in a network
 * namespace, where a public address is ours as well.
 */
describe.skipIf(may.status !== 0)('a name bound anew (else: install unshare and ip)', () => {
  let folder: string;
  let child: ChildProcess;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'rebinding-'));
    writeFileSync(join(folder, 'resolv.conf'), 'nameserver 127.0.0.1\noptions attempts:1\n');
    const own = [PUBLIC, ...VICTIMS.filter((host) => /^(?!127)[\d.]+$/.test(host))];
    const script = [
      ...UP,
      ...own.map((address) => `ip address add ${address}/32 dev lo`),
      `mount --bind '${join(folder, 'resolv.conf')}' "$(readlink -f /etc/resolv.conf)"`,
      'exec "$0" test/gateway/upstream/rebinding-process.ts',
    ].join('\n');
    const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const;
    const args = [...OWN_NETWORK, 'sh', '-c', script, process.execPath];
    child = spawn('unshare', args, { env, stdio: [...stdio] });
    await told();
  });
  afterAll(async () => {
    if (child?.connected) {
      const over = once(child, 'exit');
      child.disconnect();
      await over;
    }
    rmSync(folder, { recursive: true, force: true });
  });

  const told = async (): Promise<unknown> => {
    const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`ended: ${code}`)));
    const [message] = await Promise.race([once(child, 'message'), ended]);
    return message;
  };
  const play = async (rebinding: Rebinding): Promise<Played> => {
    child.send(rebinding);
    return (await told()) as Played;
  };
  const statusesOf = (answers: readonly NameAnswer[], well: (answer: NameAnswer) => boolean) =>
    answers.map((answer) => (well(answer) ? 200 : 502));
  const isPublic = (answer: NameAnswer): boolean => answer.includes(PUBLIC);

  test('is asked once a connection, and what was answered then is dialled', async () => {
    const answers = [[PUBLIC], ['127.0.0.1'], [PUBLIC], ['127.0.0.1', '::1']];
    const { statuses, reached, questions } = await play({ network: 'public', answers });
    // Were it asked again to dial, the second answer would be the first call's.
    expect(statuses).toEqual([200, 502, 200, 502]);
    expect(reached).toEqual([`${PUBLIC} Bearer sk-upstream`, `${PUBLIC} Bearer sk-upstream`]);
    expect(questions).toBe(4);
  });

  test.each(VICTIMS)('reaches nobody at %s for a provider of the internet', async (victim) => {
    const answers = [[victim], [PUBLIC], [victim], [victim, PUBLIC], [PUBLIC, victim]];
    const { statuses, reached } = await play({ network: 'public', answers });
    expect(statuses).toEqual(statusesOf(answers, isPublic));
    expect(new Set(reached)).toEqual(new Set([`${PUBLIC} Bearer sk-upstream`]));
  });

  test('reaches nobody by the names that loopback has in IPv6', async () => {
    const answers = [['::ffff:127.0.0.1'], ['64:ff9b::127.0.0.1'], ['2002:7f00:1::'], [PUBLIC]];
    const { statuses, reached } = await play({ network: 'public', answers });
    expect(statuses).toEqual([502, 502, 502, 200]);
    expect(reached).toHaveLength(1);
  });

  test('reaches nobody by an answer that stands in for one that does not come', async () => {
    const answers: NameAnswer[] = [['127.0.0.1'], 'servfail', [PUBLIC], 'servfail'];
    const { statuses, reached } = await play({ network: 'public', answers });
    expect(statuses).toEqual([502, 502, 200, 200]);
    expect(reached).toHaveLength(2);
  });

  test('goes where it leads within a site, but never to a machine’s metadata', async () => {
    const answers = VICTIMS.map((victim) => [victim]);
    const { statuses, reached } = await play({ network: 'private', answers });
    expect(statuses).toEqual(statusesOf(answers, (answer) => !answer.includes('169.254.169.254')));
    expect(reached.map((line) => line.split(' ')[0])).toEqual(['127.0.0.1', '10.9.8.7', '::1']);
  });
});
