import { logMeanExp } from '../sequential.ts';

/**
 * ln of the evidence that units do not fall into the arms as the shares say (sample ratio
 * mismatch). While they do, a unit is in an arm with its share, so for each arm and each ratio r
 *
 *   Π (r / (q r + 1 − q))^(in the arm) (1 / (q r + 1 − q))^(in another)
 *
 * is a martingale that starts at 1, and so is the mean over arms and ratios: it may be looked at
 * after every unit. A finite mixture over ratios, of a hundredth to a factor of four.
 */
export function splitEvidenceLn(
  arms: readonly { readonly share: number; readonly units: number }[],
): number {
  const total = arms.reduce((sum, { units }) => sum + units, 0);
  const whole = arms.reduce((sum, { share }) => sum + share, 0);
  if (total === 0 || arms.length < 2) return 0;
  return logMeanExp(
    arms.flatMap(({ share, units }) => {
      const q = share / whole;
      return TILTS.map((ratio) => units * Math.log(ratio) - total * Math.log(q * ratio + 1 - q));
    }),
  );
}

const UPWARDS = [1.01, 1.03, 1.1, 1.3, 1.6, 2, 4];
const TILTS = [...UPWARDS, ...UPWARDS.map((ratio) => 1 / ratio)];

/** From this evidence on a split is in doubt: the arms may differ in whom they lost. */
export const SPLIT_DOUBT = 10;
/** One in a thousand experiments that are sound is called unsound, however often one looks. */
export const SPLIT_ALPHA = 0.001;
