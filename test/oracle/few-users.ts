import type { Arm, Judgement } from '../../src/core/canary.ts';
import type { ExperimentRecord } from '../../src/core/ledger.ts';
import type { Policy } from '../../src/core/policy.ts';
import { inShare } from '../../src/core/unit.ts';
import { judge } from '../../src/oracle/monitor.ts';
import type { Fact, Verdict } from '../../src/sim/facts.ts';
import { createRandom } from '../../src/sim/random.ts';
import { createTrials } from '../../src/sim/trials.ts';
import { DAY_MS, HOUR_MS } from './canary-stats.ts';
import { experimentRecord, POLICY } from './kit.ts';

/** Users who come back, and no others. */
export interface FewUsers {
  readonly seed: number;
  readonly users: number;
  readonly calls_a_day: number;
  readonly rated: number;
  /** Of the rated calls of an arm, how many dissatisfy. */
  readonly control: number;
  readonly canary: number;
  readonly policy?: Policy;
}

export interface FewLife {
  readonly end: Judgement['action'];
  readonly reason: string;
  readonly days: number;
  readonly shares: readonly number[];
  /** Calls that the canary served. */
  readonly served: number;
}

/** A canary's life among them, with the counts of the simulator, judged every hour. */
export function liveAmongFew(world: FewUsers): FewLife {
  const { policy = POLICY } = world;
  const random = createRandom(world.seed, 'few');
  const trials = createTrials();
  let experiment = begun(`exp_${world.seed}`, policy);
  trials.start(experiment);
  const shares = [experiment.share];
  let served = 0;
  for (let at_ms = 0; ; at_ms += HOUR_MS) {
    const judgement = judge(trials.statsOf(experiment, at_ms, 10), policy, at_ms);
    experiment = { ...experiment, evidence_max: judgement.harm };
    const { action, reason } = judgement;
    if (action === 'ramp' && judgement.share !== undefined) {
      experiment = { ...experiment, share: judgement.share, share_since_ms: at_ms };
      shares.push(judgement.share);
    } else if (action !== 'continue') {
      return { end: action, reason, days: at_ms / DAY_MS, shares, served };
    }
    const calls = random.poisson((world.users * world.calls_a_day) / 24);
    for (let call = 0; call < calls; call += 1) {
      const unit = `u:${Math.floor(random.uniform() * world.users)}`;
      const arm = inShare(experiment.id, unit, experiment.share) ? 'canary' : 'control';
      if (arm === 'canary') served += 1;
      const fact = factOf(experiment, unit, arm, at_ms + ((call + 0.5) * HOUR_MS) / calls);
      trials.call(fact);
      const rates = random.uniform() < world.rated;
      const unhappy = random.uniform() < world[arm];
      if (rates) trials.verdict(fact, verdictOf(unit, fact.at_ms, unhappy), null);
    }
  }
}

function begun(id: string, { oracle }: Policy): ExperimentRecord {
  return experimentRecord({ id, share: oracle.safety.canary.share });
}

function factOf(
  { id: experiment, agent, share }: ExperimentRecord,
  unit: string,
  arm: Arm,
  at_ms: number,
): Fact {
  return {
    id: '',
    at_ms,
    agent,
    target: null,
    tenant: 'default',
    category: null,
    unit,
    user: unit,
    unit_day: unit,
    user_day: unit,
    adapter: null,
    half: 0,
    is_call: true,
    latency_ms: 100,
    values: [],
    bins: [],
    error_class: null,
    metrics: [],
    verdicts: [],
    barred: false,
    exposure: { experiment, arm, share },
  };
}

function verdictOf(rater: string, at_ms: number, dissatisfied: boolean): Verdict {
  return { rater, signal: 'rating', value: dissatisfied ? 1 : 5, at_ms, rated: true, dissatisfied };
}
