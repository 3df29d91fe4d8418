import { z } from 'zod';
import type { MutationDefinition } from '../../core/oracle.ts';

const options = z.strictObject({});

/** A number within the operator's range and step: the smallest change there is. */
export const definition: MutationDefinition<z.infer<typeof options>> = {
  name: 'param-set',
  summary: 'Sets a bounded request default or plugin option of an agent.',
  options,
  create: () => ({
    type: 'PARAM_SET',
    paths: ['/agents/*/params/*', '/agents/*/plugins/*/*'],
    risk: 'low',
  }),
};
