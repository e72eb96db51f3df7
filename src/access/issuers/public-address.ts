import { BlockList, isIPv4, isIPv6 } from 'node:net'

/** IPv4 ranges that are not a host on the Internet (IANA special-purpose registry, multicast, reserved). */
const special: readonly (readonly [network: string, bits: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]

/** Within 2000::/3, what is no host of its own: protocol assignments and Teredo, documentation, 6to4. */
const special6: readonly (readonly [network: string, bits: number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]

const listOf = (ranges: typeof special, family: 'ipv4' | 'ipv6'): BlockList => {
  const list = new BlockList()
  for (const [network, bits] of ranges) list.addSubnet(network, bits, family)
  return list
}
const blocked = listOf(special, 'ipv4')
const blocked6 = listOf(special6, 'ipv6')
const unicast6 = listOf([['2000::', 3]], 'ipv6')

/**
 * True for the address of a host on the public Internet. Loopback, private, link-local, multicast and every other
 * special address is not one; nor is an IPv6 address that carries an IPv4 one (mapped, NAT64, 6to4), because it may
 * lead to any of them (B25).
 */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !blocked.check(address, 'ipv4')
  return isIPv6(address) && unicast6.check(address, 'ipv6') && !blocked6.check(address, 'ipv6')
}
