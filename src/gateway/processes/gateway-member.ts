import type { ChildProcess } from 'node:child_process';
import type { Clock } from '../../core/clock.ts';
import { uuidv7 } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { Metrics } from '../../core/metrics.ts';
import type { PromptSample } from '../../core/prompt/sample.ts';
import type { ChildReport, GatewayReport } from '../../core/state.ts';
import { type Supervised, supervise } from './children.ts';
import type { FromGatewayProcess, ResponseMade, ToGatewayProcess } from './process-messages.ts';

export interface MemberDeps {
  /** Starts one process that journals under this name. */
  fork(writer: string): ChildProcess;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** How long a process may take to end its calls. */
  readonly stop_ms: number;
}

/** Who keeps the members, and hears of their turns. */
export interface MemberOwner {
  /** A process begins or has ended: the names of those that journal are others now. */
  onWriter(): void;
  /** It has ended; what it last said of itself, if it ever did. */
  onEnded(last: GatewayReport | null): void;
  onHint(): void;
  onSample(sample: PromptSample): void;
  onResponse(made: ResponseMade, by: GatewayMember): void;
  /** All that a new process has to know before it takes calls. */
  known(): readonly ToGatewayProcess[];
}

/** Beyond the time for calls: to flush the journal and go. */
const REST_MS = 5000;

/** One place among the gateway's processes; who holds it may change, when a process is killed. */
export class GatewayMember {
  readonly name: string;
  readonly #index: number;
  readonly #deps: MemberDeps;
  readonly #owner: MemberOwner;
  readonly #child: Supervised;
  readonly #listening = Promise.withResolvers<number>();
  #writer: string | null = null;
  #report: GatewayReport | null = null;
  #handed_over = false;

  constructor(index: number, deps: MemberDeps, owner: MemberOwner) {
    this.#index = index;
    this.name = `gateway-${index}`;
    this.#deps = deps;
    this.#owner = owner;
    // Nobody need wait for it: a process that is started again has been waited for before.
    this.#listening.promise.catch(() => {});
    this.#child = supervise({
      ...deps,
      name: this.name,
      stop_ms: deps.stop_ms + REST_MS,
      fork: () => this.#fork(),
      onMessage: (message) => this.#hear(message as FromGatewayProcess),
      farewell: (child) => {
        if (this.#handed_over) child.send({ kind: 'handed-over' } satisfies ToGatewayProcess);
        else child.kill('SIGTERM');
      },
    });
  }

  /** Rejects where the first process ends before it listens. */
  get listening(): Promise<number> {
    return this.#listening.promise;
  }

  get writer(): string | null {
    return this.#writer;
  }

  get report(): GatewayReport | null {
    return this.#report;
  }

  childReport(): ChildReport {
    return this.#child.report();
  }

  tell(message: ToGatewayProcess): void {
    this.#child.send(message);
  }

  /** `handed_over`: another member has its place, so it need not wait for calls to stay away. */
  async stop(handed_over: boolean): Promise<void> {
    this.#handed_over = handed_over;
    await this.#child.stop();
  }

  #fork(): ChildProcess {
    const writer = `g${this.#index}-${uuidv7(this.#deps.clock.wall_ms())}`;
    this.#writer = writer;
    this.#owner.onWriter();
    const child = this.#deps.fork(writer);
    child.once('exit', () => {
      const last = this.#report;
      this.#report = null;
      if (this.#writer === writer) this.#writer = null;
      this.#listening.reject(new Error(`process ${this.name} ended at its start: see the log`));
      this.#owner.onEnded(last);
      this.#owner.onWriter();
    });
    return child;
  }

  #hear(message: FromGatewayProcess): void {
    if (message.kind === 'hint') this.#owner.onHint();
    if (message.kind === 'sample') this.#owner.onSample(message.sample);
    if (message.kind === 'response') this.#owner.onResponse(message, this);
    if (message.kind === 'report') this.#report = message.report;
    if (message.kind === 'listening') this.#listening.resolve(message.port);
    if (message.kind !== 'assembled') return;
    for (const known of this.#owner.known()) this.tell(known);
    this.tell({ kind: 'serve' });
  }
}
