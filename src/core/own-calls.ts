import { hash } from 'node:crypto';

/**
 * The oracle's own calls go through the gateway like any other. What marks them is a header whose
 * value only who reads `DATA/secret` can make: with it a call needs no key, gets no prompt and no
 * arm, and is never users' evidence (`origin: oracle`). A wrong value is a client's header like any
 * other, and means nothing.
 */
export const OWN_CALL_HEADER = 'x-hive-oracle';

/** The tenant and the key of such calls. */
export const OWN_TENANT = 'oracle';
export const OWN_KEY = 'oracle';

/** 43 characters; the secret on both ends rules out length extension. */
export function ownCallToken(secret: Uint8Array): string {
  const middle = Buffer.from('\0own calls\0');
  return hash('sha256', Buffer.concat([secret, middle, secret]), 'base64url');
}
