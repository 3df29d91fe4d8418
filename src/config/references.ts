import { type Policy, promptVersionOf } from '../core/policy.ts';
import { didYouMean } from './suggest.ts';

/** A policy that is well formed but does not make sense, and the policy's path to where. */
export interface PolicyProblem {
  readonly tokens: readonly string[];
  readonly message: string;
  readonly key?: boolean;
  /** Which character of the text that stands there is at fault, from 0. */
  readonly offset?: number;
}

export function promptReferenceProblems(
  policy: Policy,
  reference: string,
  tokens: readonly string[],
): readonly PolicyProblem[] {
  if (promptVersionOf(policy.prompts, reference)) return [];
  const [name = '', version] = reference.split('@', 2);
  const entry = own(policy.prompts, name);
  if (!entry) return [missing(tokens, 'prompt', name, policy.prompts)];
  if (version === undefined) {
    const message = `prompt ${name} has no label production: write ${name}@<version>`;
    return [{ tokens, message }];
  }
  const hint = didYouMean(version, Object.keys(entry.versions));
  return [{ tokens, message: `prompt ${name} has no version ${version}; ${hint}` }];
}

/** That a name refers to nothing, and what it may have meant. */
export function missing(
  tokens: readonly string[],
  what: string,
  name: string,
  among: Readonly<Record<string, unknown>>,
): PolicyProblem {
  return {
    tokens,
    message: `there is no ${what} ${name}; ${didYouMean(name, Object.keys(among))}`,
  };
}

export function own<Value>(
  record: Readonly<Record<string, Value>>,
  key: string,
): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
