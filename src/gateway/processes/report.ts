import type { Current } from '../../config/current.ts';
import type { Clock } from '../../core/clock.ts';
import type { Metrics } from '../../core/metrics.ts';
import type { ChildReport, GatewayReport } from '../../core/state.ts';
import type { Permits } from '../canary/permits.ts';
import { recordPlugins } from '../hooks/fuses.ts';
import { recordTargets } from '../targets/target-report.ts';

export interface ReporterDeps {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly current: Current;
  readonly permits: Permits;
  policyError(): string | null;
  frozen(): boolean;
  callsOpen(): number;
  targets(): GatewayReport['targets'];
  plugins(): NonNullable<GatewayReport['plugins']>;
  children(): Readonly<Record<string, ChildReport>>;
  /** To the worker; lost where there is none, the next one comes in a second. */
  send(report: GatewayReport): void;
  readonly every_ms?: number;
}

export interface Reporter {
  report(): GatewayReport;
  close(): void;
}

/** Tells the worker each second how the gateway is: `/status` and `/metrics` are served there. */
export function createReporter(deps: ReporterDeps): Reporter {
  const report = (): GatewayReport => {
    const { version, epoch } = deps.current.snapshot;
    const targets = deps.targets();
    const plugins = deps.plugins();
    recordTargets(deps.metrics, targets);
    recordPlugins(deps.metrics, plugins);
    return {
      version,
      epoch,
      at_ms: deps.clock.policy_ms(),
      policy_error: deps.policyError(),
      frozen: deps.frozen(),
      calls_open: deps.callsOpen(),
      targets,
      plugins,
      withheld: deps.permits.withheld(),
      children: deps.children(),
      metrics: deps.metrics.snapshot(),
    };
  };
  const timer = setInterval(() => deps.send(report()), deps.every_ms ?? 1000);
  timer.unref();
  return { report, close: () => clearInterval(timer) };
}
