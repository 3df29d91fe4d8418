import { GatewayError, messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { type MetricsSnapshot, mergeMetrics, totalsOf } from '../../core/metrics.ts';
import type { PromptSample } from '../../core/prompt/sample.ts';
import type { ChildReport, GatewayReport, WriterList } from '../../core/state.ts';
import { GatewayMember, type MemberDeps, type MemberOwner } from './gateway-member.ts';
import { mergeReports } from './merge-reports.ts';
import type { ToGatewayProcess } from './process-messages.ts';

export interface GatewayProcessesDeps extends MemberDeps {
  readonly count: number;
  /** Some process has journalled something. */
  onHint(): void;
  /** Some process has kept a call as a sample. */
  onSample(sample: PromptSample): void;
  /** Told before a process of a new name begins, and after one has ended. */
  onWriters(list: WriterList): void;
  /** How long a new process may take to listen. */
  readonly start_ms?: number;
}

/** The gateway as several processes behind one port; the parent keeps them and serves nothing. */
export interface GatewayProcesses {
  /** Resolves with the port once all listen; rejects where one of them ends before. */
  listening(): Promise<number>;
  /** Tells all; the newest state and engines are also told to those that begin later. */
  tell(
    message: Extract<ToGatewayProcess, { kind: 'state' | 'permits' | 'feed' | 'engines' }>,
  ): void;
  /** Asks one of them to print the banner. */
  banner(admin_port: number | null): void;
  writers(): WriterList;
  children(): Readonly<Record<string, ChildReport>>;
  /** All of them as one; null before the first has reported. */
  report(children: Readonly<Record<string, ChildReport>>): GatewayReport | null;
  /**
   * Replaces one after the other: the new one listens before the old one ends, so that no call
   * fails. Where a new one does not come up, the old ones that are left go on.
   */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const START_MS = 60_000;

export function createGatewayProcesses(deps: GatewayProcessesDeps): GatewayProcesses {
  const { clock, log, count } = deps;
  const kept = new Map<string, ToGatewayProcess>();
  /** Those that serve, by their place, and those that end their calls. */
  const serving: GatewayMember[] = [];
  const all = new Set<GatewayMember>();
  let retired: MetricsSnapshot = {};
  let restarting: Promise<void> | null = null;
  let stopping = false;

  const writers = (): WriterList => ({
    names: [...all].flatMap(({ writer }) => writer ?? []),
    at_ms: clock.wall_ms(),
  });
  const owner: MemberOwner = {
    onWriter: () => deps.onWriters(writers()),
    onEnded(last) {
      // What it had counted stays counted: a sum that falls reads as a restart of all.
      if (last) retired = mergeMetrics([retired, totalsOf(last.metrics)]);
    },
    onHint: () => deps.onHint(),
    onSample: (sample) => deps.onSample(sample),
    onResponse: (made, by) => tellOthers(all, made, by),
    known: () => [...kept.values()],
  };
  const begin = (index: number): GatewayMember => {
    const member = new GatewayMember(index, deps, owner);
    all.add(member);
    deps.onWriters(writers());
    return member;
  };
  const end = async (member: GatewayMember, handed_over: boolean): Promise<void> => {
    await member.stop(handed_over);
    all.delete(member);
  };

  for (let index = 0; index < count; index += 1) serving.push(begin(index));
  return {
    async listening() {
      const [port = 0] = await Promise.all(serving.map((member) => member.listening));
      return port;
    },
    tell(message) {
      // A permit is for those who run when it comes: its time is counted from receipt.
      if (message.kind !== 'permits') kept.set(message.kind, message);
      for (const member of all) member.tell(message);
    },
    banner: (admin_port) => serving[0]?.tell({ kind: 'banner', admin_port }),
    writers,
    children: () => Object.fromEntries(serving.map((one) => [one.name, one.childReport()])),
    report(children) {
      const reports = [...all].flatMap(({ report }) => report ?? []);
      return mergeReports({ reports, children, metrics: [retired, deps.metrics.snapshot()] });
    },
    restart() {
      const start_ms = deps.start_ms ?? START_MS;
      const fleet = { serving, begin, end, log, start_ms, stopping: () => stopping };
      restarting ??= replaceEach(fleet).finally(() => {
        restarting = null;
      });
      return restarting;
    },
    async stop() {
      stopping = true;
      await Promise.all([...all].map((member) => end(member, false)));
      await restarting;
    },
  };
}

function tellOthers(
  all: ReadonlySet<GatewayMember>,
  message: ToGatewayProcess,
  by: GatewayMember,
): void {
  for (const member of all) if (member !== by) member.tell(message);
}

/** The processes that serve, by their place, and how one is begun and ended. */
interface Fleet {
  readonly serving: GatewayMember[];
  begin(index: number): GatewayMember;
  end(member: GatewayMember, handed_over: boolean): Promise<void>;
  stopping(): boolean;
  readonly log: Log;
  readonly start_ms: number;
}

async function replaceEach(fleet: Fleet): Promise<void> {
  const { serving, log } = fleet;
  for (const [index, old] of serving.entries()) {
    if (fleet.stopping()) return;
    const next = fleet.begin(index);
    try {
      await within(next.listening, fleet.start_ms);
    } catch (error) {
      log.error('not restarted: the old processes go on', { error: messageOf(error) });
      await fleet.end(next, true);
      return;
    }
    serving[index] = next;
    await fleet.end(old, true);
  }
  log.info('every gateway process was replaced');
}

async function within<Value>(work: Promise<Value>, wait_ms: number): Promise<Value> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new GatewayError('not_ready', `a new process did not listen in ${wait_ms} ms`));
  }, wait_ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
