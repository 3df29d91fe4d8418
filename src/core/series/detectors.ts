import { createBocpd } from './bocpd.ts';
import { createChangePoint } from './change-point.ts';
import { createCusum } from './cusum.ts';
import type { CreateDetector } from './detector.ts';
import { createEnsemble } from './ensemble.ts';
import { createIsolationForest } from './isolation-forest.ts';
import { createSeasonalResidual } from './seasonal-residual.ts';

/** Every detector of one series by the name that the command line and the oracle use. */
export const SERIES_DETECTORS: Readonly<Record<string, CreateDetector>> = {
  default: createEnsemble,
  cusum: () => createCusum(),
  bocpd: () => createBocpd(),
  'change-point': createChangePoint,
  'seasonal-residual': createSeasonalResidual,
  'isolation-forest': createIsolationForest,
};
