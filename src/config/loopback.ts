import { isLoopbackAddress } from '../core/network.ts';

/** Whether only this machine can reach a listener on a host. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '').toLowerCase();
  return name === 'localhost' || isLoopbackAddress(name);
}

/**
 * Where the admin API listens beside a gateway on a host. It has no credentials, so it stays on
 * loopback also where the gateway's keys let that one out of it.
 */
export function adminHost(host: string): string {
  return isLoopback(host) ? host : '127.0.0.1';
}
