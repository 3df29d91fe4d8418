import type { FollowUpClass, FollowUpEvent } from '../core/event.ts';
import type { SignalMetric } from '../core/observation.ts';
import type { SampleTurn } from '../core/prompt/sample.ts';
import { type Child, countSaid, factsOf } from './apply-calls.ts';
import { anyOf } from './columns-given.ts';
import type { Deltas } from './deltas.ts';
import { sql } from './drizzle.ts';
import { type Db, jsonRows, rowsOf } from './rows.ts';

const JUDGED = 'model_judged';

const METRIC_OF: Readonly<Record<FollowUpClass, SignalMetric | null>> = {
  satisfied: 'model_satisfied',
  needs_clarification: 'model_needs_clarification',
  wrong_answer: 'model_wrong_answer',
  wants_different: 'model_wants_different',
  none: null,
};

/**
 * Counts what a model says of turns against the answers before them, each turn once: that it was
 * judged stands in its row, where it is also found by a parent that comes later. A turn that is not
 * stored, or that no client took, says nothing.
 */
export async function applyFollowUps(
  tx: Db,
  events: readonly FollowUpEvent[],
  deltas: Deltas,
): Promise<void> {
  if (events.length === 0) return;
  const byCall = new Map(events.map((event) => [event.call, event]));
  const rows = [...byCall.values()].map(({ call, tenant, class: said }) => {
    const metric = METRIC_OF[said];
    return { call, tenant, says: metric === null ? JUDGED : `${JUDGED},${metric}` };
  });
  const judged = await rowsOf<{ parent: string; tenant: string; says: string }>(
    tx,
    sql`update calls c set says = concat_ws(',', c.says, f.says)
      from json_to_recordset(${jsonRows(rows)}::json) as f (call text, tenant text, says text)
      where c.id = f.call and c.tenant = f.tenant and ${IS_TURN}
      returning c.parent, c.tenant, f.says`,
  );
  const children = judged.map(({ says, ...child }): Child => {
    return { ...child, says: says.split(',') };
  });
  const parents = [...new Set(judged.map(({ parent }) => parent))];
  countSaid(children, await factsOf(tx, parents, new Map()), deltas);
}

/** A client's turn that goes on from an answer of ours, and was not judged before. */
const IS_TURN = sql.raw(`c.relation = 'turn' and c.parent is not null and c.origin = 'client'
  and c.outcome <> 'rejected' and (c.says is null or strpos(c.says, '${JUDGED}') = 0)`);

export interface KeptTurn {
  readonly call: string;
  readonly tenant: string;
  readonly agent: string;
  readonly turns: readonly SampleTurn[];
}

/** Those of these calls that are kept as samples and are turns that no model has judged. */
export function turnsToJudge(db: Db, calls: readonly string[]): Promise<readonly KeptTurn[]> {
  return rowsOf<KeptTurn>(
    db,
    sql`select s.call, s.tenant, s.agent, s.turns
      from prompt_samples s join calls c on c.id = s.call
      where s.call = ${anyOf(calls)} and ${IS_TURN}
      order by s.at_ms, s.call`,
  );
}
