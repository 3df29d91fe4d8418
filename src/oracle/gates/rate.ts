import { z } from 'zod';
import type { GateDefinition } from '../../core/oracle.ts';

const options = z.strictObject({});
const HOUR_MS = 3_600_000;

/** Changes come slowly enough that people can follow them, and that an error cannot run away. */
export const definition: GateDefinition<z.infer<typeof options>> = {
  name: 'rate',
  summary: 'No more mutations an hour than safety.max_mutations_per_hour.',
  options,
  create: () => (_proposal, before) => {
    const most = before.policy.oracle.safety.max_mutations_per_hour;
    const executed = before.recent.filter(({ at_ms }) => at_ms > before.at_ms - HOUR_MS).length;
    const n = executed + before.earlier.length;
    const reason = `${n} of ${most} mutations of this hour are used`;
    return { verdict: n < most ? 'pass' : 'fail', reason };
  },
};
