import { fitThroughChanges } from '../core/routing/context-drift.ts';
import { reportContext } from '../core/routing/context-report.ts';
import { policyWorth } from '../core/routing/policy-worth.ts';
import { headOf, type LearnedRoutes, type Lesson } from './learn-table.ts';

/** Strategies `linucb` and `squarecb`: one linear model a target, of a call's features. */
export function learnContext(lesson: Lesson): LearnedRoutes {
  const { options, targets, rewards } = lesson;
  const { bandit, strategy } = options;
  const { fit, changes } = fitThroughChanges(rewards, targets, bandit.discount);
  const rule = strategy === 'squarecb' ? 'squarecb' : 'linucb';
  const reported = reportContext(fit, { ...bandit, rule, explore: bandit.bound });
  const { model } = fit;
  return {
    report: {
      ...headOf(lesson),
      ...reported,
      proven: [],
      ...(bandit.stop === undefined
        ? {}
        : { worth: policyWorth(lesson.choices, targets, bandit.stop.delta) }),
      changed: changes.map(({ category, target }) => ({ category, target })),
      // Nothing is published of nothing: the weights hold until there is a reward.
      published: { targets: model.targets, by: {}, ...(rewards.length > 0 ? { model } : {}) },
    },
  };
}
