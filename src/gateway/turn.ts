import type { UpstreamFailure } from '../core/provider.ts';
import type { Client } from './client.ts';
import type { Place } from './overload.ts';
import type { Route } from './route.ts';
import type { Trial } from './try-target.ts';

/** One call on its way over the targets. */
export interface Turn extends Omit<Trial, 'target'> {
  readonly client: Client;
  readonly route: Route;
  readonly place: Place;
  readonly failures: UpstreamFailure[];
}
