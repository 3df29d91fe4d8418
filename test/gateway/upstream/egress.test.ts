import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  boundOrigin,
  createDialer,
  REFUSED_ADDRESS,
} from '../../../src/gateway/upstream/egress.ts';
import type { Resolve } from '../../../src/gateway/upstream/lookups.ts';
import { portOf } from '../../kit/ports.ts';
import { startUpstream, status, type Upstream } from '../../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from '../gateway-kit.ts';
import { makeSnapshot } from '../snapshot.ts';

/** Somebody on loopback who must not be reached; counts who does. */
let victim: Server;
let reached: number;

beforeEach(async () => {
  reached = 0;
  victim = createServer((socket) => {
    reached += 1;
    socket.on('error', () => {});
    socket.end();
  }).listen(0, '127.0.0.1');
  await once(victim, 'listening');
});
afterEach(() => void victim.close());

type Dialled = { readonly error: (Error & { code?: string }) | null; readonly at: string | null };

function dial(
  network: 'public' | 'private',
  hostname: string,
  resolve?: Resolve,
): Promise<Dialled> {
  const connect = createDialer(network, 1000, resolve);
  const options = { hostname, protocol: 'http:', port: String(portOf(victim)) };
  return new Promise((settle) => {
    connect(options, (error, socket) => {
      settle({ error, at: socket?.remoteAddress ?? null });
      socket?.destroy();
    });
  });
}

/** A name server whose answers change: each question gets the next one. */
function answers(...all: readonly (readonly string[])[]): Resolve & { readonly asked: number } {
  let asked = 0;
  const resolve: Resolve = (_hostname, _options, done) => {
    const found = all[Math.min(asked, all.length - 1)] ?? [];
    asked += 1;
    done(
      null,
      found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return Object.defineProperty(resolve, 'asked', { get: () => asked }) as never;
}

describe('createDialer', () => {
  test.each(['127.0.0.1', '::ffff:127.0.0.1', '::1', '0.0.0.0'])(
    'createDialer reaches nobody at the address %s for a public provider',
    async (address) => {
      const { error } = await dial('public', address);
      expect(error?.code).toBe(REFUSED_ADDRESS);
      expect(reached).toBe(0);
    },
  );

  test('createDialer reaches nobody by a name that resolves to loopback', async () => {
    const { error } = await dial('public', 'localhost');
    expect(error?.code).toBe(REFUSED_ADDRESS);
    expect(error?.message).toMatch(/^localhost is at .*127\.0\.0\.1|::1/);
    expect(reached).toBe(0);
  });

  test('createDialer dials loopback for a private provider', async () => {
    expect(await dial('private', '127.0.0.1')).toEqual({ error: null, at: '127.0.0.1' });
    expect(await dial('private', 'gpu.test', answers(['127.0.0.1']))).toMatchObject({
      at: '127.0.0.1',
    });
    expect(reached).toBe(2);
  });

  test('createDialer leaves out those of several addresses that nobody may dial', async () => {
    const resolve = answers(['169.254.169.254', '127.0.0.1']);
    expect(await dial('private', 'both.test', resolve)).toMatchObject({ at: '127.0.0.1' });
  });

  test('createDialer dials what it checked: a name that flips gains nothing', async () => {
    const flips = answers(['127.0.0.1'], ['169.254.169.254'], ['127.0.0.1']);
    expect(await dial('private', 'flips.test', flips)).toMatchObject({ at: '127.0.0.1' });
    expect(flips.asked).toBe(1);
    expect((await dial('private', 'flips.test', flips)).error?.code).toBe(REFUSED_ADDRESS);
    expect(flips.asked).toBe(2);
    const turns = answers(['169.254.169.254'], ['127.0.0.1']);
    expect((await dial('public', 'turns.test', turns)).error?.code).toBe(REFUSED_ADDRESS);
    expect(turns.asked).toBe(1);
    expect(reached).toBe(1);
  });

  test('createDialer asks once for all who dial a name at the same time', async () => {
    let asked = 0;
    let answer = (): void => {};
    const slow: Resolve = (_hostname, _options, done) => {
      asked += 1;
      answer = () => done(null, [{ address: '127.0.0.1', family: 4 }]);
    };
    const connect = createDialer('private', 1000, slow);
    const options = { hostname: 'slow.test', protocol: 'http:', port: String(portOf(victim)) };
    const dialled = Array.from({ length: 20 }, () => {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      connect(options, (error, socket) => {
        socket?.destroy();
        resolve(error === null);
      });
      return promise;
    });
    answer();
    expect(await Promise.all(dialled)).toEqual(Array.from({ length: 20 }, () => true));
    expect(asked).toBe(1);
  });

  test('createDialer tells of a name that does not resolve', async () => {
    const resolve: Resolve = (_hostname, _options, done) =>
      done(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), []);
    expect((await dial('private', 'none.test', resolve)).error?.code).toBe('ENOTFOUND');
  });
});

test.each(['ENOTFOUND', 'EAI_AGAIN', 'ESERVFAIL', 'ETIMEOUT'])(
  'createDialer fails with %s, reaches nobody, and dials again once the name is back',
  async (code) => {
    let sick = true;
    const resolve: Resolve = (_hostname, _options, done) => {
      if (sick) done(Object.assign(new Error('no answer'), { code }), []);
      else done(null, [{ address: '127.0.0.1', family: 4 }]);
    };
    expect((await dial('private', 'sick.test', resolve)).error?.code).toBe(code);
    expect(reached).toBe(0);
    sick = false;
    expect(await dial('private', 'sick.test', resolve)).toMatchObject({ at: '127.0.0.1' });
  },
);

test('createDialer gives up a name without an answer, and dials others meanwhile', async () => {
  const resolve: Resolve = (hostname, _options, done) => {
    if (hostname !== 'hangs.test') done(null, [{ address: '127.0.0.1', family: 4 }]);
  };
  const connect = createDialer('private', 100, resolve);
  const to = (hostname: string) => ({
    hostname,
    protocol: 'http:',
    port: String(portOf(victim)),
  });
  const hung = new Promise<(Error & { code?: string }) | null>((settle) => {
    connect(to('hangs.test'), (...[error]) => settle(error));
  });
  const other = await new Promise((settle) => {
    connect(to('well.test'), (error, socket) => {
      socket?.destroy();
      settle(error);
    });
  });
  expect(other).toBe(null);
  expect((await hung)?.code).toBe('UND_ERR_CONNECT_TIMEOUT');
});

test('createDialer checks an answer that stands in for another like any other', async () => {
  const victim_port = String(portOf(victim));
  let turn = 0;
  const resolve: Resolve = (_hostname, _options, done) => {
    turn += 1;
    if (turn === 1) done(null, [{ address: '127.0.0.1', family: 4 }]);
    else done(Object.assign(new Error('no answer'), { code: 'EAI_AGAIN' }), []);
  };
  const connect = createDialer('public', 1000, resolve);
  const dialled = () =>
    new Promise<(Error & { code?: string }) | null>((settle) => {
      const turns = { hostname: 'turns.test', protocol: 'http:', port: victim_port };
      connect(turns, (...[error]) => settle(error));
    });
  expect((await dialled())?.code).toBe(REFUSED_ADDRESS);
  expect((await dialled())?.code).toBe(REFUSED_ADDRESS);
  expect(turn).toBe(2);
  expect(reached).toBe(0);
});

describe('boundOrigin', () => {
  test('boundOrigin is the scheme, host and port of the base URL', () => {
    expect(boundOrigin('https://api.test/v1', '/v1/chat/completions')).toBe('https://api.test');
    expect(boundOrigin('http://api.test:8000', '/x?a=1')).toBe('http://api.test:8000');
  });

  test('boundOrigin takes no path that leads anywhere else', () => {
    const piece = fc.constantFrom(
      '/',
      '\\',
      '@',
      ':',
      '.',
      '..',
      'evil.test',
      '\t',
      '\n',
      ' ',
      '#',
    );
    const path = fc
      .array(fc.oneof(piece, fc.string({ unit: 'binary' })))
      .map((all) => all.join(''));
    fc.assert(
      fc.property(path, (given) => {
        let origin: string;
        try {
          origin = boundOrigin('https://api.test/v1', `/${given}`);
        } catch {
          return;
        }
        expect(new URL(`/${given}`, origin).href).toMatch(/^https:\/\/api\.test\//);
        expect(new URL(`${origin}/${given}`).origin).toBe('https://api.test');
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    '//evil.test/v1',
    '/\\evil.test/v1',
    'https://evil.test/v1',
    '@evil.test/v1',
    'v1/chat',
    '/\t/evil.test',
    '',
  ])('boundOrigin refuses the path %j', (path) => {
    expect(() => boundOrigin('https://api.test/v1', path)).toThrow(/another host/);
  });
});

describe('the gateway', () => {
  let upstream: Upstream;
  let gateway: RunningGateway;
  beforeEach(async () => {
    upstream = await startUpstream();
  });
  afterEach(async () => {
    await gateway.close();
    await upstream.close();
  });

  test.each([[false], [true]])(
    'the gateway says which provider lacks network: private (stream: %s)',
    async (stream) => {
      const main = { url: upstream.url, network: 'public' } as const;
      gateway = await startGateway(makeSnapshot({ targets: { main } }));
      const response = await gateway.post(ask('hi', { stream }));
      expect(response.status).toBe(502);
      const { error } = (await response.json()) as { error: { code: string; message: string } };
      expect(error.code).toBe('upstream_unreachable');
      expect(error.message).toMatch(/Provider scripted .* network: private/);
      expect(upstream.requests).toEqual([]);
      const complaints = gateway.lines.filter(({ message }) => /is not asked/.test(message));
      expect(complaints).toHaveLength(1);
    },
  );

  test.each([301, 302, 303, 307, 308])(
    'the gateway never follows a redirect (%i), and sends nobody the key',
    async (code) => {
      const location = `http://127.0.0.1:${portOf(victim)}/v1/chat/completions`;
      upstream.script(status(code, '', { location }));
      gateway = await startGateway(makeSnapshot({ targets: { main: upstream.url } }));
      for (const stream of [false, true]) {
        const response = await gateway.post(ask('hi', { stream }), { 'x-should': '1' });
        expect(response.status).toBe(502);
        const { error } = (await response.json()) as { error: { code: string } };
        expect(error.code).toBe('upstream_error');
        expect(response.headers.get('location')).toBeNull();
      }
      expect(reached).toBe(0);
    },
  );
});
