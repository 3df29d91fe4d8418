import { OTHER_CATEGORY } from '../config/categories.ts';
import type { Snapshot } from '../config/snapshot.ts';
import type { Call } from '../core/call.ts';
import { OWN_CALL_HEADER } from '../core/own-calls.ts';
import type { Price } from '../core/price.ts';
import type { LiveFigures } from '../core/routing/live-figures.ts';
import type { InboundRequest } from './front/inbound.ts';
import type { Surroundings } from './hooks/scope.ts';
import { headerOf } from './parse.ts';
import type { Targets } from './targets/targets.ts';

/** What no plugin sees of a request. */
const CREDENTIALS: ReadonlySet<string> = new Set([
  'authorization',
  'x-api-key',
  'api-key',
  'cookie',
  OWN_CALL_HEADER,
]);

/** What one call's plugins may ask of the request, the snapshot and the targets. */
export class CallSurroundings implements Surroundings {
  readonly #call: Call;
  readonly #request: InboundRequest;
  readonly #snapshot: Snapshot;
  readonly #targets: Targets;
  #category: string | null = null;

  constructor(call: Call, request: InboundRequest, snapshot: Snapshot, targets: Targets) {
    this.#call = call;
    this.#request = request;
    this.#snapshot = snapshot;
    this.#targets = targets;
  }

  header(name: string): string | null {
    return CREDENTIALS.has(name) ? null : headerOf(this.#request, name);
  }

  healthy(name: string): boolean {
    const target = this.#snapshot.targets.get(name);
    if (target === undefined) return false;
    const standing = this.#targets.standing(target, this.#snapshot.policy.resilience);
    return standing === 'ready' || standing === 'full';
  }

  inFlight(name: string): number {
    const target = this.#snapshot.targets.get(name);
    return target === undefined ? 0 : this.#targets.inFlight(target);
  }

  figures(name: string): LiveFigures | null {
    const target = this.#snapshot.targets.get(name);
    return target === undefined ? null : this.#targets.figures(target);
  }

  price(name: string): Price | null {
    return this.#snapshot.targets.get(name)?.price ?? null;
  }

  category(): string {
    this.#category ??= this.#snapshot.categories?.of(this.#call) ?? OTHER_CATEGORY;
    return this.#category;
  }
}
