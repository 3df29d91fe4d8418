import { describe, expect, test } from 'vitest';
import { type BannerFacts, banner } from '../../../src/gateway/processes/banner.ts';
import { makeSnapshot } from '../snapshot.ts';

const facts = (more: Partial<BannerFacts>): BannerFacts => ({
  product_version: '0.1.0',
  gateway_url: 'http://127.0.0.1:8091',
  admin_url: 'http://127.0.0.1:8092',
  data_dir: './data',
  snapshot: makeSnapshot({
    targets: {
      mini: 'http://127.0.0.1:1/v1',
      demo: { url: 'http://127.0.0.1:2/v1', fallback_only: true },
    },
    agents: { helpful_assistant: {}, default: {} },
  }),
  live: ['mini', 'demo'],
  time_scale: 1,
  remarks: [],
  ...more,
});
const demoOnly = makeSnapshot({
  targets: { demo: { url: 'http://127.0.0.1:2/v1', fallback_only: true } },
  agents: { helpful_assistant: {} },
});

describe('banner', () => {
  test('a banner names the target that answers, and not its fallback', () => {
    const text = banner(facts({}));
    expect(text).toContain('answers  mini (');
    expect(text).not.toContain('demo');
    expect(text).toContain('agents   helpful_assistant, default');
    expect(text).toContain('curl http://127.0.0.1:8091/v1/chat/completions');
  });

  test('a banner says why the demo model answers', () => {
    const text = banner(facts({ snapshot: demoOnly, live: ['demo'] }));
    expect(text).toContain('answers  demo (');
    expect(text).toContain('demo model: repeats one lower-case word; set OPENAI_API_KEY');
  });

  test('a banner says that nothing can answer, and that the worker is not up', () => {
    const text = banner(facts({ live: [], admin_url: null }));
    expect(text).toContain('nothing can answer helpful_assistant yet');
    expect(text).toContain('admin    starting: see the log');
  });

  test('a banner’s call carries a key where one is needed', () => {
    const access = { mode: 'keys', keys: {} } as const;
    const snapshot = makeSnapshot({ targets: { mini: 'http://127.0.0.1:1/v1' }, access });
    expect(banner(facts({ snapshot })).split('\n').at(-1)).toContain('-H "x-api-key: $KEY" -d');
    expect(banner(facts({}))).not.toContain('x-api-key');
  });

  test('a banner has at most 12 lines of at most 120 columns, whatever there is to say', () => {
    const remarks = Array.from({ length: 20 }, (_, index) => `remark ${index}`);
    const text = banner(facts({ snapshot: demoOnly, live: ['demo'], remarks, time_scale: 600 }));
    const lines = text.split('\n');
    expect(lines.length).toBeLessThanOrEqual(12);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(120);
    expect(text).toContain('and 17 more: npm run hive -- check');
    expect(text).toContain('policy time × 600');
  });
});
