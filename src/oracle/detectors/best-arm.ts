import { z } from 'zod';
import type { DetectorDefinition, FindingDraft, Yardstick } from '../../core/finding.ts';
import {
  against,
  dollars,
  milliseconds,
  percent,
  placeOf,
  thousands,
} from '../../core/findings/words.ts';
import type { ProvenBest } from '../../core/observation.ts';

/**
 * What A/B experiments and routers that learn have proven, told as findings: they judge themselves,
 * by rules of their own that may be looked at at all times, so nothing is tested here again, and
 * nothing is planned on it. A winner becomes a plan by its experiment's own rule (`at_end`), and a
 * router gives a proven target its calls by its own (`on_proven`).
 */
export const definition: DetectorDefinition<Record<string, never>> = {
  name: 'best-arm',
  summary: 'Arms of experiments and targets of routers that are proven to be the best.',
  options: z.strictObject({}),
  create: () => (observation) => ({
    findings: (observation.proven ?? []).map((one) => draftOf(one, observation.at_ms)),
    insufficient: [],
  }),
};

function draftOf(one: ProvenBest, at_ms: number): FindingDraft {
  const { metric, segment, measure, value, interval, e, p, n, units } = one;
  const kind = metric === 'experiment' ? 'control' : 'peers';
  const yardstick: Yardstick = { kind, value: one.against.value };
  return {
    since_ms: one.since_ms ?? at_ms,
    segment,
    metric,
    measure,
    level: 'note',
    direction: 'better',
    estimate: value,
    effect: value - one.against.value,
    interval,
    yardstick,
    p,
    e,
    confirmed: null,
    n,
    units,
    severity: 'info',
    text: `${claimOf(one, yardstick)} ${evidenceOf(one)} ${one.done}`,
    disproof: DISPROOFS[one.kind],
    evidence: [],
  };
}

function claimOf(one: ProvenBest, yardstick: Yardstick): string {
  const { kind, segment, subject, of, value } = one;
  const said = toldOf(one, value);
  const other = toldOf(one, one.against.value);
  if (kind === 'arm') {
    return (
      `Of agent ${segment.agent} the arm ${subject} is proven better than control: ${of} ` +
      `${said}, ${against(yardstick, other)}.`
    );
  }
  if (kind !== 'target') {
    return (
      `For agent ${segment.agent} ${subject} is proven to earn more ${of} than ` +
      `${one.against.name}${kind === 'context' ? ', and than any other target alone' : ''}: ` +
      `${said} a call.`
    );
  }
  return (
    `${capital(placeOf(segment))} is proven to be the best by ${of}: ${said} a call, against ` +
    `${other} of ${one.against.name}, the next.`
  );
}

function evidenceOf(one: ProvenBest): string {
  const { kind, alpha, interval, e, n, units } = one;
  const [low, high] = interval.map((end) => toldOf(one, end));
  const level = Number(((1 - alpha) * 100).toPrecision(4));
  const of =
    kind === 'arm'
      ? `${thousands(n)} units that count for it, of ${thousands(units)}`
      : `${thousands(n)} units`;
  return (
    `${level} % confidence sequence ${low} to ${high}, e-value ${numeral(e)}, from ${of}; all ` +
    'three hold at every look.'
  );
}

const DISPROOF_OF_ARM =
  'Wrong if its canary, or the experiment with another `run` (a new draw), does not show it ' +
  'again. What ends at its best moment looks larger than it is, and what is new wears off.';
const DISPROOF_OF_TARGET =
  'Wrong if its rewards change, or if they came of few users: the proof rests on rewards since ' +
  'the last change, `user_max` of a user, and falls with them. See `hive router show`.';

const DISPROOF_OF_ROUTER =
  'Wrong if the recorded probabilities are not those that were drawn with, or for what comes: it ' +
  'is the mean of the calls so far, those included in which the router had yet to learn.';
const DISPROOFS: Readonly<Record<ProvenBest['kind'], string>> = {
  arm: DISPROOF_OF_ARM,
  target: DISPROOF_OF_TARGET,
  context: DISPROOF_OF_ROUTER,
  single: DISPROOF_OF_ROUTER,
};

function toldOf({ measure }: ProvenBest, value: number): string {
  if (measure === 'share') return percent(value);
  if (measure === 'ms') return milliseconds(value);
  if (measure === 'usd') return dollars(value);
  return String(Number(value.toPrecision(3)));
}

/** Beyond a million nobody needs the digits. */
function numeral(e: number): string {
  return e > 1e6 ? '> 1,000,000' : thousands(e);
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
