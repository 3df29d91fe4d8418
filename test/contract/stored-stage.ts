import { afterEach } from 'vitest';
import type { RunningGateway } from '../gateway/gateway-kit.ts';
import type { SnapshotSpec } from '../gateway/snapshot.ts';
import { askRaw, type RawAnswer } from '../kit/raw-http.ts';
import { storedResponses } from '../kit/stored-responses.ts';
import { startUpstream, type Upstream } from '../kit/upstream.ts';
import { serve } from './contract-kit.ts';

/** What a test of kept responses has: a gateway, and providers that keep what they made. */
export interface StoredStage {
  readonly gateway: RunningGateway;
  readonly providerOf: (name: string) => Promise<Upstream>;
  readonly serve: (spec: SnapshotSpec) => Promise<void>;
  /** A gateway before two such providers, the targets `a` and `b`. */
  readonly start: (more?: Partial<SnapshotSpec>) => Promise<{
    readonly a: Upstream;
    readonly b: Upstream;
    readonly client: RunningGateway['client'];
  }>;
  readonly ask: (
    method: string,
    path: string,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<RawAnswer>;
}

/** Set up by each test, and taken down behind it. */
export function storedStage(): StoredStage {
  let gateway: RunningGateway;
  const upstreams: Upstream[] = [];
  afterEach(async () => {
    await gateway.close();
    await Promise.all(upstreams.splice(0).map((upstream) => upstream.close()));
  });
  const providerOf = async (name: string) => {
    const upstream = await startUpstream(storedResponses(name));
    upstreams.push(upstream);
    return upstream;
  };
  return {
    get gateway() {
      return gateway;
    },
    providerOf,
    async serve(spec) {
      gateway = await serve(spec);
    },
    async start(more = {}) {
      const [a, b] = [await providerOf('a'), await providerOf('b')];
      gateway = await serve({ targets: { a: a.url, b: b.url }, ...more });
      return { a, b, client: gateway.client };
    },
    ask: (method, path, headers = {}) =>
      askRaw(gateway.port, { method, path: `/v1/responses${path}`, headers }),
  };
}

export const pathsOf = (upstream: Upstream): readonly string[] =>
  upstream.requests.map(({ method, path }) => `${method} ${path}`);
