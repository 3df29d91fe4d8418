import { registryOf } from '../../core/definition.ts';
import type { GateRegistry } from '../../core/oracle.ts';
import { definition as approval } from './approval.ts';
import { definition as confidence } from './confidence.ts';
import { definition as conflict } from './conflict.ts';
import { definition as policy } from './policy.ts';
import { definition as rate } from './rate.ts';
import { definition as rollback } from './rollback.ts';
import { definition as schema } from './schema.ts';

export const gates: GateRegistry = registryOf([
  schema,
  policy,
  rate,
  conflict,
  rollback,
  confidence,
  approval,
]);
