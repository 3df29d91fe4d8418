import { expect } from 'vitest';
import type { Snapshot } from '../../src/config/snapshot.ts';
import type { Plugin } from '../../src/core/plugin.ts';
import { type RunningGateway, startGateway } from '../gateway/gateway-kit.ts';
import { makeSnapshot, type SnapshotSpec } from '../gateway/snapshot.ts';
import { openHttp } from '../kit/http-connection.ts';
import { until } from '../kit/until.ts';
import { type Asking, PlayedCall } from './played-call.ts';
import {
  type Move,
  type PlayedExchange,
  type PlayedUpstream,
  startPlayedUpstream,
} from './played-upstream.ts';

/** A policy that a play may swap to amid its calls. */
export const POLICIES = [
  'plain',
  'hedged',
  'held',
  'judged',
  'faulty',
  'narrow',
  'hasty',
  'half',
] as const;
export type PolicyName = (typeof POLICIES)[number];

/** Longer than a call takes that is answered, shorter than one that is not. */
const STOP = { deadline_ms: 45, quiet_ms: 0, handed_over: false };
/** Turns of the event loop that a byte takes at most from one end of a play to the other. */
const TURNS = 8;

/** Two upstreams, a gateway between, and clients: each does what it is told, move by move. */
export class Play {
  readonly #gateway: RunningGateway;
  readonly #upstreams: { readonly a: PlayedUpstream; readonly b: PlayedUpstream };
  readonly #calls: PlayedCall[] = [];
  readonly #swaps: Promise<void>[] = [];
  readonly #timers: number;

  private constructor(gateway: RunningGateway, upstreams: Play['upstreams'], timers: number) {
    this.#gateway = gateway;
    this.#upstreams = upstreams;
    this.#timers = timers;
  }

  get upstreams(): { readonly a: PlayedUpstream; readonly b: PlayedUpstream } {
    return this.#upstreams;
  }

  static async begin(): Promise<Play> {
    const timers = timersNow();
    const [a, b] = await Promise.all([startPlayedUpstream('a'), startPlayedUpstream('b')]);
    const gateway = await startGateway(snapshotOf('plain', { a, b }));
    return new Play(gateway, { a, b }, timers);
  }

  async call(asking: Asking, reuses: boolean): Promise<void> {
    const busy = new Set(this.#calls.filter((one) => !one.reusable).map((one) => one.connection));
    const known = this.#calls.findLast(({ connection }) => !busy.has(connection));
    const open = reuses && known ? known.connection : await openHttp(this.#gateway.port);
    this.#calls.push(new PlayedCall(`r${this.#calls.length + 1}`, asking, open));
    await turns(TURNS);
  }

  async move(nth: number, move: Move): Promise<void> {
    const { a, b } = this.#upstreams;
    const open = [...a.open(), ...b.open()];
    const exchange = open[nth % Math.max(1, open.length)];
    if (exchange) (exchange.name.startsWith('a') ? a : b).move(exchange, move);
    await turns(TURNS);
  }

  async sendRest(nth: number): Promise<void> {
    this.#pick(nth)?.sendRest();
    await turns(TURNS);
  }

  async leave(nth: number, how: 'reset' | 'end'): Promise<void> {
    this.#pick(nth)?.leave(how);
    await turns(TURNS);
  }

  swap(name: PolicyName): void {
    this.#swaps.push(this.#gateway.current.swap(snapshotOf(name, this.#upstreams)));
  }

  /** Lets timers run. */
  async pass(ms: number): Promise<void> {
    const begun_ms = performance.now();
    await until(() => performance.now() - begun_ms >= ms, {
      what: 'some time to pass',
      every_ms: 1,
    });
  }

  #pick(nth: number): PlayedCall | undefined {
    const open = this.#calls.filter(({ over }) => !over);
    return open[nth % Math.max(1, open.length)];
  }

  /**
   * All that is open is answered, or the gateway is stopped amid it; then nothing of it may be
   * left, anywhere.
   */
  async end(stopped: boolean): Promise<void> {
    try {
      await this.#forgotten();
      if (stopped) await this.#gateway.gateway.close(STOP);
      for (const upstream of Object.values(this.#upstreams)) upstream.answerAll();
      if (!stopped) for (const call of this.#calls) call.sendRest();
      const open = this.#calls.filter((call) => !call.over);
      await Promise.all(open.map((call) => call.answered));
      await this.#judge(stopped);
      if (!stopped) await this.#probe();
    } finally {
      for (const { connection } of this.#calls) connection.socket.destroy();
      await this.#gateway.close();
      await Promise.all(Object.values(this.#upstreams).map((upstream) => upstream.close()));
    }
    await until(() => timersNow() <= this.#timers, { what: 'no timer to be left', every_ms: 1 });
  }

  /** Who has left is worked for no more. */
  async #forgotten(): Promise<void> {
    const { a, b } = this.#upstreams;
    const left = new Set(this.#calls.filter((one) => one.left).map(({ id }) => id));
    const none = (): boolean => ![...a.open(), ...b.open()].some(({ call }) => left.has(call));
    await until(none, { what: 'upstreams to hear who has left', deadline_ms: 1000, every_ms: 1 });
  }

  async #judge(stopped: boolean): Promise<void> {
    const { gateway, metrics } = this.#gateway;
    const { a, b } = this.#upstreams;
    await until(() => gateway.callsOpen() === 0, { what: 'no call to be open', every_ms: 1 });
    const exchanges: readonly PlayedExchange[] = [...a.exchanges, ...b.exchanges];
    const events = this.#gateway.events();
    for (const call of this.#calls) call.judge({ events, exchanges, stopped });
    await until(() => exchanges.every(({ over }) => over), { what: 'upstreams to be let go' });
    const idle = { in_flight: 0, queue: 0 };
    // (A gateway that was stopped has forgotten its targets.)
    for (const live of Object.values(gateway.liveTargets())) expect(live).toMatchObject(idle);
    const now = metrics.snapshot();
    for (const name of ['hive_calls_open', 'hive_held_bytes', 'hive_queue_waiting'] as const) {
      expect(now[name]?.[0]?.value ?? 0, name).toBe(0);
    }
  }

  /** Where there is one place only, a place that was not given back leaves none. */
  async #probe(): Promise<void> {
    this.#swaps.push(this.#gateway.current.swap(snapshotOf('single', this.#upstreams)));
    await Promise.all(this.#swaps);
    const models = async (): Promise<boolean> => {
      const listed = await (await fetch(`${this.#gateway.url}/v1/models`)).text();
      return listed.includes('"a"') && listed.includes('"b"');
    };
    // A probe of a breaker that is still said to be under way would keep its target away for ever.
    await until(models, { what: 'both targets to be well', deadline_ms: 3000 });
    for (const target of ['a', 'b']) {
      const asked = { model: 'default', messages: [{ role: 'user', content: 'probe' }] };
      const probe = async (): Promise<boolean> =>
        (await this.#gateway.post(asked, { 'x-hive-target': target })).status === 200;
      await until(probe, { what: `a place at ${target}`, deadline_ms: 3000 });
    }
  }
}

function timersNow(): number {
  return process.getActiveResourcesInfo().filter((one) => one === 'Timeout').length;
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((next) => void setImmediate(next));
}

/** Asks for another answer where the first upstream's had an odd number. */
const JUDGE: Plugin = {
  onAnswer: (_call, answer) =>
    /^a\.\d*[13579]\b/.test(answer.content().text) ? { next: true, reason: 'odd' } : undefined,
};
/** One that takes its time, so that a call may end while it waits for it. */
const SLOW: Plugin = {
  onRequest: () => new Promise((resolve) => void setImmediate(() => resolve({}))),
  onResponse: (response) =>
    new Promise((resolve) => void setImmediate(() => resolve({ ...response }))),
};

/** One without which no call may pass, and which fails at times. */
const FAULTY: Plugin = {
  onAttempt({ name }) {
    if (name === 'b') throw new Error('it cannot tell');
    return undefined;
  },
  onAnswer(_call, answer) {
    if (answer.content().text.startsWith('a.')) throw new Error('it cannot tell');
    return undefined;
  },
};

function snapshotOf(name: PolicyName | 'single', { a, b }: Play['upstreams']): Snapshot {
  const breaker = { errors: 0.9, calls_min: 1000, failures: 2, open_ms: 30 };
  const one = name === 'single' ? { in_flight: 1 } : {};
  const targets = { a: { url: a.url, ...one }, b: { url: b.url, ...one } };
  const base: SnapshotSpec = { version: name, targets, resilience: { breaker } };
  const SPECS: Readonly<Record<PolicyName | 'single', Partial<SnapshotSpec>>> = {
    plain: {},
    hedged: { resilience: { breaker, hedge: { after_ms: 2 } } },
    held: { resilience: { breaker, midstream: 'hold' } },
    judged: {
      plugins: [
        { id: 'judge', plugin: JUDGE },
        { id: 'slow', plugin: SLOW },
      ],
    },
    faulty: {
      plugins: [{ id: 'faulty', plugin: FAULTY, on_error: 'fail' }],
      resilience: { breaker, hedge: { after_ms: 2 } },
    },
    narrow: {
      resilience: { breaker, overload: { in_flight: 2, queue_ms: 40, queue_max: 2 } },
      targets: { a: { url: a.url, in_flight: 1 }, b: { url: b.url, in_flight: 1 } },
    },
    hasty: {
      timeouts: { first_token_ms: 15, idle_ms: 15, total_ms: 40 },
      resilience: { breaker, hedge: { after_ms: 5 }, retry: { retries: 1 } },
    },
    half: { agents: { default: { targets: ['b'] } } },
    single: {
      resilience: { breaker, overload: { in_flight: 1, queue_ms: 0, queue_max: 0 } },
    },
  };
  return makeSnapshot({ ...base, ...SPECS[name] });
}
