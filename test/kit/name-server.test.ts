import { Resolver } from 'node:dns/promises';
import { afterEach, expect, test } from 'vitest';
import { type NameAnswer, type NameServer, startNameServer } from './name-server.ts';

let server: NameServer;
afterEach(() => server.close());

test('a name server answers both families, without life, and each time anew', async () => {
  const answers: NameAnswer[] = [
    ['192.0.2.1', '192.0.2.2', '2001:db8::1'],
    ['192.0.2.1', '2001:db8::1', '::ffff:127.0.0.1'],
    ['192.0.2.9'],
    'servfail',
  ];
  server = await startNameServer(() => answers.shift() ?? []);
  const resolver = new Resolver({ tries: 1 });
  resolver.setServers([`127.0.0.1:${server.port}`]);
  expect(await resolver.resolve4('a.test', { ttl: true })).toEqual([
    { address: '192.0.2.1', ttl: 0 },
    { address: '192.0.2.2', ttl: 0 },
  ]);
  expect(await resolver.resolve6('a.test')).toEqual(['2001:db8::1', '::ffff:127.0.0.1']);
  expect(await resolver.resolve4('b.test')).toEqual(['192.0.2.9']);
  await expect(resolver.resolve4('b.test')).rejects.toMatchObject({ code: 'ESERVFAIL' });
  expect(server.asked).toEqual(['A a.test', 'AAAA a.test', 'A b.test', 'A b.test']);
});
