import type { LookupAddress } from 'node:dns';
import { describe, expect, test } from 'vitest';
import { createLookups, type Resolve } from '../../../src/gateway/upstream/lookups.ts';

const OPTIONS = { all: true } as const;
const A: LookupAddress = { address: '192.0.2.1', family: 4 };
const B: LookupAddress = { address: '192.0.2.2', family: 4 };

/** A name server that answers when the test says so. */
function server() {
  const asked: { readonly name: string; readonly done: Parameters<Resolve>[2] }[] = [];
  const resolve: Resolve = (name, _options, done) => void asked.push({ name, done });
  return { asked, resolve };
}

function look(lookups: Resolve, name = 'a.test') {
  return new Promise<string>((settle) => {
    lookups(name, OPTIONS, (error, found) => {
      settle(error ? String(error.code) : found.map(({ address }) => address).join());
    });
  });
}

const sick = (code: string) => Object.assign(new Error(code), { code });

describe('createLookups', () => {
  test('lookups ask once for all who want a name, and again afterwards', async () => {
    const { asked, resolve } = server();
    const lookups = createLookups(resolve);
    const all = [look(lookups), look(lookups), look(lookups, 'b.test')];
    expect(asked.map(({ name }) => name)).toEqual(['a.test', 'b.test']);
    asked[0]?.done(null, [A]);
    asked[1]?.done(null, [B]);
    expect(await Promise.all(all)).toEqual([A.address, A.address, B.address]);
    const next = look(lookups);
    asked[2]?.done(null, [B]);
    expect(await next).toBe(B.address);
  });

  test('lookups use the last answer where none comes, and the new one once here', async () => {
    const { asked, resolve } = server();
    const lookups = createLookups(resolve, 20);
    const first = look(lookups);
    asked[0]?.done(null, [A]);
    expect(await first).toBe(A.address);
    // It hangs: who waits gets the last answer, and nobody asks again.
    expect(await Promise.all([look(lookups), look(lookups)])).toEqual([A.address, A.address]);
    expect(asked).toHaveLength(2);
    asked[1]?.done(null, [B]);
    const failing = look(lookups);
    asked[2]?.done(sick('EAI_AGAIN'), []);
    expect(await failing).toBe(B.address);
  });

  test('lookups believe a name server that says there is no such name', async () => {
    const { asked, resolve } = server();
    const lookups = createLookups(resolve);
    const first = look(lookups);
    asked[0]?.done(null, [A]);
    await first;
    const gone = look(lookups);
    asked[1]?.done(sick('ENOTFOUND'), []);
    expect(await gone).toBe('ENOTFOUND');
  });

  test('lookups tell of a failure where nothing was known before', async () => {
    const { asked, resolve } = server();
    const lookups = createLookups(resolve, 5);
    const first = look(lookups);
    asked[0]?.done(sick('EAI_AGAIN'), []);
    expect(await first).toBe('EAI_AGAIN');
  });
});
