import { BlockList, isIPv4, isIPv6 } from 'node:net';

/**
 * Which addresses a provider may be at. `public` is the internet: global unicast and nothing that
 * IANA's special-purpose registries set aside. `private` adds what a machine or a site gives out
 * itself. What is neither (link-local with its metadata services, multicast, unspecified,
 * documentation, reserved) nobody may be asked at.
 */
export type Network = 'public' | 'private';

type Range = readonly [address: string, prefix: number];

/** Loopback, the ranges of sites and carriers, and the one that lab networks and proxies use. */
const PRIVATE_V4: readonly Range[] = [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
];
const PRIVATE_V6: readonly Range[] = [
  ['::1', 128],
  ['fc00::', 7],
];

const NOBODY_V4: readonly Range[] = [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  // A cloud's own services behind an address that looks public.
  ['168.63.129.16', 32],
];
/** Within 2000::/3, and of local NAT64; all that lies outside is nobody's anyway. */
const NOBODY_V6: readonly Range[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['3fff::', 20],
];

/** IPv6 forms that stand for an IPv4 address: mapped, NAT64, 6to4. */
const MAPPED: Range = ['::ffff:0:0', 96];
const NAT64: Range = ['64:ff9b::', 96];
const GLOBAL_V6: Range = ['2000::', 3];

/** Private ranges, and ranges of nobody, each in all its IPv6 disguises. */
const SITE = listOf(PRIVATE_V4, PRIVATE_V6);
const NOBODY = listOf(NOBODY_V4, NOBODY_V6);
/** Of this machine alone, mapped forms too. */
const LOOPBACK = listOf([['127.0.0.0', 8]], [['::1', 128]]);
/** Where a global IPv6 address may lie. */
const KNOWN_V6 = listOf([], [GLOBAL_V6, MAPPED, NAT64]);

/** Whether an IP address may be dialled for a provider of this network. */
export function isAllowedAddress(address: string, network: Network): boolean {
  const family = isIPv4(address) ? 'ipv4' : isIPv6(address) ? 'ipv6' : null;
  // A zone (`fe80::1%eth0`) belongs to addresses of one link only.
  if (family === null || address.includes('%')) return false;
  if (SITE.check(address, family)) return network === 'private';
  if (NOBODY.check(address, family)) return false;
  return family === 'ipv4' || KNOWN_V6.check(address, 'ipv6');
}

/** Whether nobody but this machine itself is at an IP address. */
export function isLoopbackAddress(address: string): boolean {
  if (address.includes('%')) return false;
  if (isIPv4(address)) return LOOPBACK.check(address, 'ipv4');
  return isIPv6(address) && LOOPBACK.check(address, 'ipv6');
}

/**
 * Whether a URL's host alone says that it is not on the internet: an address, or a name that
 * stands for this machine. Any other name is known only once it is resolved.
 */
export function isPrivateHost(hostname: string): boolean {
  const name = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (isIPv4(name) || isIPv6(name)) return !isAllowedAddress(name, 'public');
  return /(^|\.)localhost$/i.test(name);
}

function listOf(v4: readonly Range[], v6: readonly Range[]): BlockList {
  const list = new BlockList();
  for (const [address, prefix] of v6) list.addSubnet(address, prefix, 'ipv6');
  for (const [address, prefix] of v4) {
    // Node holds the mapped form of an IPv4 range to be the same range.
    list.addSubnet(address, prefix, 'ipv4');
    const hex = hexOf(address);
    list.addSubnet(`64:ff9b::${hex}`, 96 + prefix, 'ipv6');
    list.addSubnet(`2002:${hex}::`, 16 + prefix, 'ipv6');
  }
  return list;
}

/** `10.1.2.3` as `0a01:0203`. */
function hexOf(address: string): string {
  const hex = address.split('.').map((byte) => Number(byte).toString(16).padStart(2, '0'));
  return `${hex[0]}${hex[1]}:${hex[2]}${hex[3]}`;
}
