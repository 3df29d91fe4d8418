import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from '../../../src/core/answer/answer.ts';
import type { Plugin } from '../../../src/core/plugin.ts';
import { answer, startUpstream, stream, type Upstream } from '../../kit/upstream.ts';
import { ask, type RunningGateway, startGateway } from '../gateway-kit.ts';
import { makeSnapshot, type PluginSpec } from '../snapshot.ts';

let cheap: Upstream;
let better: Upstream;
let gateway: RunningGateway;

beforeAll(async () => {
  [cheap, better] = await Promise.all([startUpstream(), startUpstream()]);
});
afterEach(() => gateway.close());
afterAll(() => Promise.all([cheap.close(), better.close()]));

async function start(plugin: PluginSpec): Promise<void> {
  const targets = { cheap: cheap.url, better: better.url };
  gateway = await startGateway(makeSnapshot({ targets, plugins: [plugin] }));
  cheap.script(answer(''));
  better.script(answer('a good answer'));
}

describe('a plugin that looks at answers', () => {
  const looking = (onAnswer: Plugin['onAnswer'], more: Partial<PluginSpec> = {}): PluginSpec => ({
    id: 'judge',
    plugin: { onAnswer },
    ...more,
  });
  const given = async (): Promise<string | null> =>
    (await gateway.post(ask())).headers.get('x-hive-target');

  test('a plugin that looks at answers and must not fail gives held bytes back', async () => {
    const fault = () => {
      throw new Error('it cannot tell');
    };
    await start(looking(fault, { on_error: 'fail' }));
    cheap.script(stream(['all ', 'of it']));
    const response = await gateway.post(ask('hi', { stream: true }));
    expect(await response.json()).toMatchObject({ error: { code: 'plugin_failed' } });
    const event = await gateway.event();
    expect(event).toMatchObject({ outcome: 'error', attempts: [{ outcome: 'ok' }] });
    expect(gateway.metrics.snapshot().hive_held_bytes?.[0]?.value).toBe(0);
  });

  test('a plugin that looks at answers sees what they say, and may ask for another', async () => {
    const seen: Answer[] = [];
    const judge = looking((call, one) => {
      seen.push(one);
      return call.endpoint === 'chat.completions' && one.target === 'cheap'
        ? { next: true, reason: 'Not a word!' }
        : undefined;
    });
    await start(judge);
    cheap.script(answer('hello there'));
    expect(await given()).toBe('better');
    expect(seen.map(({ target, finish }) => [target, finish])).toEqual([['cheap', 'stop']]);
    expect(seen[0]?.content().text).toBe('hello there');
    expect(seen[0]?.tokens).toMatchObject({ out: 2 });
    expect((await gateway.event()).escalations).toMatchObject([{ reason: 'other' }]);
  });

  test.each<[string, Plugin['onAnswer'], string]>([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
      'plugin:judge:threw',
    ],
    ['hangs', () => new Promise(() => {}), 'plugin:judge:slow'],
    ['says nonsense', () => ({ next: 'yes' }) as never, 'plugin:judge:invalid'],
  ])('a plugin that looks at answers and %s lets them go out', async (_name, hook, marker) => {
    await start(looking(hook, { budget_ms: 30 }));
    expect(await given()).toBe('cheap');
    expect((await gateway.event()).markers).toEqual([marker]);
  });

  test('a plugin that looks at answers and must not be bypassed fails the call', async () => {
    const broken = (): never => {
      throw new Error('broken');
    };
    await start(looking(broken, { on_error: 'fail' }));
    expect((await gateway.post(ask())).status).toBe(500);
  });

  test('a plugin that does not look at answers costs nothing: no stream is held', async () => {
    await start({ id: 'plain', plugin: { onRequest: () => undefined } });
    cheap.script(stream(['one']));
    await (await gateway.post(ask('hi', { stream: true }))).text();
    expect(gateway.metrics.snapshot().hive_held_total).toBeUndefined();
  });
});
