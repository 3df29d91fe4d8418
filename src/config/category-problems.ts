import type { Policy } from '../core/policy.ts';
import { OTHER_CATEGORY, ruleProblem } from './categories.ts';
import type { PolicyProblem } from './references.ts';

/** Rules of `categories` that are not CEL, ask for facts that there are not, or are of no type. */
export function categoryProblems({ categories }: Policy): readonly PolicyProblem[] {
  if (categories === undefined) return [];
  return categories.order.flatMap((name): readonly PolicyProblem[] => {
    const at = ['categories', 'by', name];
    if (name === OTHER_CATEGORY) {
      const message = `${OTHER_CATEGORY} is what calls are called for which no rule holds`;
      return [{ tokens: [...at, 'name'], message }];
    }
    const problem = ruleProblem(categories.by[name]?.when ?? '');
    if (problem === null) return [];
    return [{ tokens: [...at, 'when'], message: problem.message, offset: problem.at }];
  });
}

/** Two rules of one name: the second would take the first one's place. */
export function repeatedCategories(names: readonly string[]): readonly PolicyProblem[] {
  const repeated = names.filter((name, index) => names.indexOf(name) !== index);
  return repeated.map((name) => ({
    tokens: ['categories', 'by', name],
    message: `two categories are called ${name}: join their rules with ||`,
  }));
}
