import { registryOf } from '../../core/definition.ts';
import type { DetectorRegistry } from '../../core/oracle.ts';
import { definition as bestArm } from './best-arm.ts';
import { definition as changePoint } from './change-point.ts';
import { definition as costDrift } from './cost-drift.ts';
import { definition as ensemble } from './default.ts';
import { definition as dissatisfaction } from './dissatisfaction.ts';
import { definition as errorClass } from './error-class.ts';
import { definition as isolationForest } from './isolation-forest.ts';
import { definition as performanceDegradation } from './performance-degradation.ts';
import { definition as retryAndAbandonment } from './retry-and-abandonment.ts';
import { definition as seasonalResidual } from './seasonal-residual.ts';
import { definition as segmentScan } from './segment-scan.ts';
import { definition as usagePattern } from './usage-pattern.ts';

export const detectors: DetectorRegistry = registryOf([
  performanceDegradation,
  dissatisfaction,
  errorClass,
  retryAndAbandonment,
  costDrift,
  usagePattern,
  segmentScan,
  changePoint,
  seasonalResidual,
  isolationForest,
  ensemble,
  bestArm,
]);
