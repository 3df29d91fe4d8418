import { z } from 'zod';
import type { MutationDefinition } from '../../core/oracle.ts';

const options = z.strictObject({});

/**
 * Digests of items that every user of the agent may see; a user's own memory is never a mutation.
 */
export const definition: MutationDefinition<z.infer<typeof options>> = {
  name: 'memory-update',
  summary: 'Changes which agent-visible memories an agent is given.',
  options,
  create: () => ({
    type: 'MEMORY_UPDATE',
    paths: ['/agents/*/memory/items', '/agents/*/memory/options'],
    risk: 'medium',
  }),
};
