import type { CallEvent, FeedbackEvent } from '../../../src/core/event.ts';
import type { Policy } from '../../../src/core/policy.ts';
import type { PromptProposals } from '../../../src/core/prompt/proposal-policy.ts';
import type { PromptSample } from '../../../src/core/prompt/sample.ts';
import type { RunningProposals } from '../../../src/oracle/proposals/create-proposals.ts';
import type { Store } from '../../../src/store/open.ts';
import { halfOfUnit, type SampleHalf } from '../../../src/store/prompt-samples.ts';
import { callEvent, feedbackEvent } from '../../kit/events.ts';
import { answer, type Behaviour, by, type Received, type Upstream } from '../../kit/upstream.ts';
import { POLICY } from '../kit.ts';
import { createWorld, HOUR_MS, type World } from '../world.ts';

export const ASKED: PromptProposals = {
  target: 'mini',
  budget: { calls_per_day: 1000, tokens_per_day: 10_000_000 },
  checks: [{ contains: 'because' }],
  ops: ['system.append'],
  label: 'proposed',
  every_hours: 24,
  timeout_ms: 2000,
  tokens_max: 200,
  failures_max: 2,
  units_min: 3,
  calls_max: 12,
  pairs_min: 12,
  pairs_max: 40,
  front_max: 8,
};

export const ADVICE = 'Give the reason for each result, in one short sentence.';

export function policyWith(asked: Partial<PromptProposals> = {}): Policy {
  const { oracle } = POLICY;
  return {
    ...POLICY,
    capture: {
      feedback_text: true,
      bodies: { mode: 'on', share: 1, bytes_max: 16_384, kept_max: 400, days: 7 },
    },
    oracle: {
      ...oracle,
      bounds: { '/agents/*/prompt': { ops: ['system.append'], tokens_added_max: 400 } },
      proposals: { prompt: { ...ASKED, agents: ['duo'], ...asked } },
    },
  };
}

export interface ProposalsWorld {
  readonly world: World;
  readonly proposals: RunningProposals;
  /** Calls of the agent, of units of one half; those to reflect on are rated 1. */
  said(half: SampleHalf, texts: readonly string[], over?: Partial<PromptSample>): Promise<void>;
}

let made = 0;

/** An oracle whose gateway is a scripted upstream on a real socket. */
export function createProposalsWorld(store: Store, policy: Policy, upstream: Upstream) {
  const world = createWorld(store, policy, {
    ownCalls: {
      gateway_url: upstream.url.replace(/\/v1$/, ''),
      token: () => 'token-of-ours',
      hash: (tenant, value) => `${tenant}/${value}`,
    },
  });
  const { proposals } = world.oracle;
  if (!proposals) throw new Error('there are no proposals');
  const said: ProposalsWorld['said'] = async (half, texts, over = {}) => {
    const events: (CallEvent | FeedbackEvent)[] = [];
    for (const text of texts) {
      made += 1;
      let unit = `u:${made}`;
      for (let n = 0; halfOfUnit(unit) !== half; n += 1) unit = `u:${made}-${n}`;
      const call = `call_s${made}`;
      const at_ms = world.now_ms - HOUR_MS;
      events.push(callEvent(call, { at_ms, unit, user: unit, agent: 'duo' }));
      if (half === 'reflect') {
        events.push(feedbackEvent(`fb_s${made}.rating`, { call, at_ms: at_ms + 1, rater: unit }));
      }
      proposals.receive({
        call,
        at_ms,
        unit,
        user: unit,
        session: null,
        tenant: 'default',
        agent: 'duo',
        served: 'demo',
        turns: [{ role: 'user', text }],
        answer: 'It is so.',
        ...over,
      });
    }
    await world.apply(events);
  };
  return { world, proposals, said };
}

export const isReflection = ({ system }: Received): boolean => system.startsWith('You improve');
export const isJudging = ({ system }: Received): boolean => system.startsWith('You compare');

/** A model that proposes this text, and answers with a reason where it was told to. */
export function modelThat(proposes: string, otherwise?: Behaviour): Behaviour {
  const ops = JSON.stringify({ ops: [{ op: 'system.append', text: proposes }] });
  return by((request) => {
    if (isReflection(request)) return answer(ops);
    if (otherwise) return otherwise;
    return answer(request.system.includes(proposes) ? 'Yes, because it is.' : 'Yes.');
  });
}

export const QUESTIONS: readonly string[] = Array.from(
  { length: 30 },
  (_, n) => `What is the ${['height', 'weight', 'price', 'age', 'colour'][n % 5]} of thing ${n}?`,
);
