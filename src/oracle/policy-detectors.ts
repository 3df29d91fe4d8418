import { z } from 'zod';
import { canonicalJson, type Json } from '../core/canonical.ts';
import { instantiate, type LeafHost } from '../core/definition.ts';
import type { DetectorRegistry } from '../core/finding.ts';
import type { ActPolicy, Policy } from '../core/policy.ts';
import type { NamedDetector } from './analyze.ts';
import { stageOptions } from './collect.ts';

/**
 * The detectors that a policy names, with what its `safety.act` says in the options of those that
 * have them. They are made anew only where it says another thing.
 */
export function createPolicyDetectors(
  registry: DetectorRegistry,
  host: LeafHost,
): (policy: Policy) => readonly NamedDetector[] {
  let made = { of: '', all: [] as readonly NamedDetector[] };
  return (policy) => {
    const { act } = policy.oracle.safety;
    const of = canonicalJson(act as unknown as Json);
    if (made.of !== of) {
      const all = [...registry].map(([name, definition]) => {
        const options = actOptionsOf(definition.options, act);
        return { name, detect: instantiate(definition, options, host) };
      });
      made = { of, all };
    }
    const wanted = stageOptions(policy, 'analyze').detectors;
    return Array.isArray(wanted) ? made.all.filter(({ name }) => wanted.includes(name)) : made.all;
  };
}

/** Those of the settings that a detector has an option for. */
function actOptionsOf(options: z.ZodType, act: ActPolicy): Partial<ActPolicy> {
  if (!(options instanceof z.ZodObject)) return {};
  const { shape } = options;
  return Object.fromEntries(Object.entries(act).filter(([key]) => Object.hasOwn(shape, key)));
}
