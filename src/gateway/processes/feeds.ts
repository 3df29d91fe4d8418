import type { PublishedRoutes } from '../../core/plugin.ts';
import type { Feed } from '../../core/state.ts';

/** What the worker publishes beside the policy. It outlives the worker: a stale table is valid. */
export interface Feeds {
  /** A whole value; one of a lower epoch changes nothing. */
  receive(feed: Feed): void;
  routes(agent: string): PublishedRoutes | null;
}

export function createFeeds(): Feeds {
  let routes: Feed | null = null;
  let published = new Map<string, PublishedRoutes>();
  return {
    receive(feed) {
      if (routes !== null && feed.epoch <= routes.epoch) return;
      routes = feed;
      published = new Map(
        Object.entries(feed.data).map(([agent, table]) => [agent, { epoch: feed.epoch, table }]),
      );
    },
    routes: (agent) => published.get(agent) ?? null,
  };
}
