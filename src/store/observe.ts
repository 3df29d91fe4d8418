export {
  canaryArrivals,
  canaryCells,
  canaryFreshness,
  complaintsOf,
  slowThreshold,
  type Withheld,
  withheldOf,
} from './canary-stats.ts';
export { createObserver, type Observed, type ObserveOptions, type Observer } from './observer.ts';
