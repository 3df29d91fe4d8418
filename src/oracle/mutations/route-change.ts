import { z } from 'zod';
import type { MutationDefinition } from '../../core/oracle.ts';

const options = z.strictObject({});

/** Weights among the targets that the agent has: each of them is already trusted with its calls. */
export const definition: MutationDefinition<z.infer<typeof options>> = {
  name: 'route-change',
  summary: 'Moves the weights of an agent’s targets.',
  options,
  create: () => ({ type: 'ROUTE_CHANGE', paths: ['/agents/*/targets/*'], risk: 'medium' }),
};
