import type { JsonObject } from '../core/canonical.ts';
import { createIdTable } from '../core/ope/hash.ts';
import { createCanaryStream, type UnitRow } from './canary-stream.ts';
import { fileFlag, type LabCommand, numberFlag } from './lab-command.ts';
import { type BadRow, eachRow } from './rows.ts';

export const canary: LabCommand = {
  name: 'canary',
  usage: '--units FILE [--share 0.05] [--units-min 150] [--days-max 14]',
  summary: 'whether b does harm or good, decided as early as can be told, row by row',
  example: 'hive lab canary --units docs/lab/units.jsonl --share 0.1',
  options: {
    units: { type: 'string' },
    share: { type: 'string' },
    'units-min': { type: 'string' },
    'days-max': { type: 'string' },
  },
  details: [
    '--units      {"time", "arm": "a"|"b", "unit", "ok": 0|1, "latency_ms"?, "rating"?} a row, in',
    '             order of time; a is control. A unit (user, session) counts once a metric.',
    '--share      the share of units that were assigned to b: default 0.05. While b has more',
    '             than that (p < 0.001) nothing is decided, so name it where it was another.',
    '--units-min  units of b before a promotion: default 150. A revert needs no minimum.',
    '--days-max   after that many days of rows without a decision: inconclusive. Default 14.',
    'Prints       {"time", "decision", "reason"} for each row. What is decided stays so: later',
    '             rows repeat it, and the last line has it. There "continue" means: undecided.',
    '',
    "revert: more units of b that failed, were slow (above control's frozen p95), waited longer",
    'as a whole, or were dissatisfied (rating ≤ 2): α 4 % for all these together, looked at',
    'however often; or no row of b for 30 minutes while a had many. promote: fewer units of b',
    'failed or were dissatisfied (α 1 %), and nothing leans to harm; as good as a is not enough.',
    'Odd rows (a unit in the other arm, a time that goes back, the same row twice) count and are',
    'told by line. Keeps two numbers per unit: a million units need about 250 MB in all.',
  ],
  async run(flags, io) {
    const file = fileFlag(flags, 'units');
    const odd = createOddRows();
    const judge = createCanaryStream({
      share: numberFlag(flags, 'share', 0.05, [0.0001, 0.9999]),
      units_min: numberFlag(flags, 'units-min', 150, [1, 1e9]),
      days_max: numberFlag(flags, 'days-max', 14, [0.001, 36_500]),
    });
    const { rows } = await eachRow(io, file, unitRowOf, (row, _line, note) => {
      odd(row, note);
      const { decision, reason } = judge(row);
      io.print(JSON.stringify({ time: row.time, decision, reason }));
    });
    if (rows === 0) io.warn(`${file} has no row that can be read: nothing is decided`);
    return 0;
  },
};

/**
 * Says what is odd of rows that count all the same: a unit counts for the arm that it was first
 * seen in, and a row where the file has it, whatever its time.
 */
function createOddRows(): (row: UnitRow, note: (why: string) => void) => void {
  const arms = createIdTable();
  let [latest_ms, last] = [Number.NEGATIVE_INFINITY, ''];
  return (row, note) => {
    const arm = row.canary ? 1 : 0;
    if (!arms.add(row.unit, arm) && arms.find(row.unit) !== arm) {
      note(`unit ${JSON.stringify(row.unit)} was in arm ${row.canary ? 'a' : 'b'}: counted there`);
    }
    if (row.at_ms < latest_ms) note('its time is before that of a row above: counted as it comes');
    latest_ms = Math.max(latest_ms, row.at_ms);
    const { ok, latency_ms, rating } = row;
    const same = JSON.stringify([row.at_ms, arm, row.unit, ok, latency_ms, rating]);
    if (same === last) note('the same as the row before: a unit counts once a metric');
    last = same;
  };
}

function unitRowOf(value: JsonObject): UnitRow | BadRow {
  const { time, arm, unit, ok, latency_ms, rating } = value;
  if (typeof time !== 'string') return { bad: 'time is no text' };
  const at_ms = Date.parse(time);
  if (Number.isNaN(at_ms)) return { bad: `time ${JSON.stringify(time)} is no RFC 3339 time` };
  if (arm !== 'a' && arm !== 'b') return { bad: 'arm is neither "a" nor "b"' };
  if (typeof unit !== 'string' && typeof unit !== 'number') return { bad: 'unit is no text' };
  if (ok !== 0 && ok !== 1 && typeof ok !== 'boolean') return { bad: 'ok is neither 0 nor 1' };
  const latency = optionalNumber(latency_ms);
  if (latency === undefined || (latency ?? 0) < 0) return { bad: 'latency_ms is no number from 0' };
  const rated = optionalNumber(rating);
  if (rated === undefined) return { bad: 'rating is no number' };
  const canaryArm = arm === 'b';
  return {
    time,
    at_ms,
    canary: canaryArm,
    unit: String(unit),
    ok: ok === 1 || ok === true,
    latency_ms: latency,
    rating: rated,
  };
}

/** A number, null where there is none, undefined where it is something else. */
function optionalNumber(value: unknown): number | null | undefined {
  if (value === undefined || value === null) return null;
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
