import { describe, expect, test } from 'vitest';
import { createFeeds } from '../../../src/gateway/processes/feeds.ts';

describe('feeds', () => {
  test('feeds keep the newest table of an agent, whatever comes late', () => {
    const feeds = createFeeds();
    expect(feeds.routes('a')).toBeNull();
    const table = (weights: readonly number[]) => ({ targets: ['x', 'y'], by: { '': weights } });
    feeds.receive({ name: 'routes', epoch: 2, data: { a: table([0.9, 0.1]) } });
    feeds.receive({ name: 'routes', epoch: 1, data: { a: table([0.1, 0.9]) } });
    expect(feeds.routes('a')).toEqual({ epoch: 2, table: table([0.9, 0.1]) });
    expect(feeds.routes('b')).toBeNull();
  });
});
