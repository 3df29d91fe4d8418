import type { Network } from '../../../src/core/network.ts';
import type { NameAnswer } from '../../kit/name-server.ts';

/** The internet, as far as this network has any. */
export const PUBLIC = '1.2.3.4';
/** Who must not be reached by a provider of the internet, all on one port. */
export const VICTIMS = ['127.0.0.1', '10.9.8.7', '169.254.169.254', '::1'] as const;

/** A call for each answer, which the name server gives to the n-th question for addresses. */
export interface Rebinding {
  readonly network: Network;
  readonly answers: readonly NameAnswer[];
}

export interface Played {
  readonly statuses: readonly number[];
  /** Whom requests reached, and the key that they brought. */
  readonly reached: readonly string[];
  /** For addresses of the fourth version. */
  readonly questions: number;
}
