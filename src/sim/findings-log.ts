import type { CallEvent } from '../core/event.ts';
import type { Analysis, Finding, FindingLevel } from '../core/finding.ts';
import type { FoundRow, TruthRow } from './report.ts';
import type { Scenario } from './scenario.ts';
import { WORLD_BEGIN_MS } from './traffic.ts';
import { foundBy, judgedBy, type Truth, truthsOf } from './truth.ts';

/** What the looks of a run found, each finding once, and which truths were found how soon. */
export interface FindingsLog {
  call(event: CallEvent): void;
  look(analysis: Pick<Analysis, 'findings'>, t_ms: number): void;
  rows(): { readonly findings: readonly FoundRow[]; readonly truths: readonly TruthRow[] };
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const FIRMNESS: Record<FindingLevel, number> = { note: 0, investigate: 1, act: 2 };

interface Watched {
  readonly truth: Truth;
  calls: number;
  found_ms: number | null;
  level: FindingLevel | null;
}

export function createFindingsLog(scenario: Scenario, window_hours: number): FindingsLog {
  const window_ms = window_hours * HOUR_MS;
  const truths = truthsOf(scenario);
  const end_ms = scenario.days * DAY_MS;
  const watched = truths
    .filter(({ from_ms }) => from_ms < end_ms)
    .map((truth): Watched => ({ truth, calls: 0, found_ms: null, level: null }));
  const rows = new Map<string, FoundRow>();
  return {
    call(event) {
      for (const one of watched) if (isOf(event, one)) one.calls += 1;
    },
    look({ findings }, t_ms) {
      for (const finding of findings) {
        const key = `${finding.key}|${finding.detector}`;
        const row = rows.get(key);
        const { level } = finding;
        if (!row) rows.set(key, rowOf(finding, t_ms, judgedBy(finding, t_ms, window_ms, truths)));
        else if (FIRMNESS[level] > FIRMNESS[row.level as FindingLevel])
          rows.set(key, { ...row, level });
        const found = foundBy(finding, t_ms, window_ms, truths);
        for (const one of watched) if (found.includes(one.truth)) note(one, level, t_ms);
      }
    },
    rows: () => ({ findings: [...rows.values()], truths: watched.map(truthRowOf) }),
  };
}

/** Calls of the cell since it went wrong, until it was found: how long finding it took. */
function isOf(
  { at_ms, agent, intended, category }: CallEvent,
  { truth, found_ms }: Watched,
): boolean {
  const t_ms = at_ms - WORLD_BEGIN_MS;
  return (
    found_ms === null &&
    agent === truth.agent &&
    (truth.target === null || intended === truth.target) &&
    (truth.category === null || category === truth.category) &&
    t_ms >= truth.from_ms &&
    t_ms < truth.until_ms
  );
}

function note(one: Watched, level: FindingLevel, t_ms: number): void {
  one.found_ms ??= t_ms;
  if (one.level === null || FIRMNESS[level] > FIRMNESS[one.level]) one.level = level;
}

function rowOf(finding: Finding, t_ms: number, judged: FoundRow['judged']): FoundRow {
  const { detector, level, severity, metric, direction, text, segment } = finding;
  const { agent, target, tenant = null, category = null } = segment;
  const day = t_ms / DAY_MS;
  const cell = { agent, target, tenant, category };
  return { day, detector, level, severity, ...cell, metric, direction, judged, text };
}

function truthRowOf({ truth, calls, found_ms, level }: Watched): TruthRow {
  const { what, agent, from_ms } = truth;
  const found_day = found_ms === null ? null : found_ms / DAY_MS;
  return { what, agent, from_day: from_ms / DAY_MS, found_day, level, calls };
}
