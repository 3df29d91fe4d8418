import { z } from 'zod';
import type { MutationDefinition } from '../../core/oracle.ts';

const options = z.strictObject({});

/** Which targets an agent has; how the calls are shared among them is ROUTE_CHANGE's. */
export const definition: MutationDefinition<z.infer<typeof options>> = {
  name: 'model-swap',
  summary: 'Adds targets to an agent, or takes them away.',
  options,
  create: () => ({ type: 'MODEL_SWAP', paths: ['/agents/*/targets/*'], risk: 'high' }),
};
