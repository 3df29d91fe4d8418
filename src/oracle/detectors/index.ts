import { registryOf } from '../../core/definition.ts';
import type { DetectorRegistry } from '../../core/oracle.ts';
import { definition as unitRate } from './unit-rate.ts';

export const detectors: DetectorRegistry = registryOf([unitRate]);
