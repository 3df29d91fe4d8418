import type { Socket } from 'node:net';
import { createCurrent } from '../../config/current.ts';
import type { Snapshot } from '../../config/snapshot.ts';
import { silentLog } from '../../core/log.ts';
import { createMetrics } from '../../core/metrics.ts';
import type { Bus } from '../../events/bus.ts';
import { createAccept } from '../accept.ts';
import { countCalls } from '../call-count.ts';
import { createCallDeps } from '../call-deps.ts';
import { noPermits } from '../canary/permits.ts';
import type { TurnEnd } from '../clock/turn-end.ts';
import { createRecentCalls } from '../conversation/recent.ts';
import type { GatewayDeps } from '../deps.ts';
import { LaneHeads } from '../front/lane-head.ts';
import { LaneRequest } from '../front/lane-request.ts';
import { type Answering, LaneResponse } from '../front/lane-response.ts';
import { createFuses } from '../hooks/fuses.ts';
import { REQUEST_BODY, REQUEST_HEAD } from './lines.ts';
import { createRehearsalUpstream } from './upstream.ts';

/** Where calls are rehearsed: the code of real ones, and nothing that they keep. */
export interface Stage {
  /** One call; resolves with its answer's bytes when its record has been made. */
  rehearse(): Promise<string>;
  close(): void;
}

const RECENT_MAX = 64;

/** Built of the same parts as the gateway, so that the same code runs and other state is met. */
export function createStage(given: GatewayDeps, snapshot: Snapshot, turn: TurnEnd): Stage {
  const { clock } = given;
  const metrics = createMetrics();
  const calls = countCalls(metrics);
  const fuses = createFuses();
  const over: (() => void)[] = [];
  const { capture: _, ...without } = given;
  const onStage: GatewayDeps = {
    ...without,
    log: silentLog,
    metrics,
    current: createCurrent(snapshot),
    bus: NOWHERE,
    permits: noPermits,
    recent: createRecentCalls({ max: RECENT_MAX, policy_ms: () => clock.policy_ms() }),
  };
  const deps = createCallDeps(onStage, {
    turn,
    upstream: createRehearsalUpstream(turn),
    fuses,
    onCallOver() {
      calls.end();
      over.shift()?.();
    },
    brokeOff: () => false,
  });
  const accept = createAccept(deps, calls, { high: false });
  const heads = new LaneHeads();
  return {
    rehearse() {
      const head = heads.read(REQUEST_HEAD);
      if (head === null) throw new Error('the head of a rehearsal is not plain');
      const client = new Audience();
      const request = new LaneRequest(head, client.socket);
      request.push(REQUEST_BODY);
      const { promise, resolve } = Promise.withResolvers<string>();
      over.push(() => resolve(client.heard));
      accept(request, new LaneResponse(client));
      return promise;
    },
    close() {
      deps.targets.close();
      fuses.close();
    },
  };
}

/** A client that takes all that it is told, at once. */
class Audience implements Answering {
  heard = '';
  readonly socket = {
    remoteAddress: '127.0.0.1',
    writableLength: 0,
    destroyed: false,
    timeout: 0,
    setTimeout: () => {},
    destroy: () => {},
    write: (text: string) => {
      this.heard = text;
      return true;
    },
  } as unknown as Socket;

  closingLines(): string {
    return 'date: Thu, 01 Jan 1970 00:00:00 GMT\r\nconnection: keep-alive\r\n';
  }

  ended(response: LaneResponse): void {
    response.close();
  }
}

const NOWHERE: Bus = {
  publish: () => true,
  acknowledge: () => Promise.resolve(),
  close: () => Promise.resolve(),
};
