import {
  commonBits,
  contains,
  type Ip,
  isLinkLocal,
  isLoopback,
  isMulticast,
  isUnspecified,
  type Prefix,
  parsePrefix,
  sameIp,
} from '../../net/ip.ts'
import { byAge } from '../link/age.ts'
import type { Link, LinkAddress } from '../link/types.ts'

interface Candidate {
  readonly address: LinkAddress
  readonly device: string
}

/**
 * ipv6_dev_get_saddr of net/ipv6/addrconf.c: RFC 6724 §5 over the addresses of all devices, or of the outgoing one alone for
 * destinations of link scope and multicast. Of candidates that tie the first stays.
 */
export function selectIpv6(links: readonly Link[], dst: Ip, device: string): Ip | undefined {
  const onlyDevice = isMulticast(dst) || scopeOf(dst) <= LINK_SCOPE
  const order = byAge(links).filter((l) => !onlyDevice || l.name === device)
  let best: Candidate | undefined
  for (const link of order) {
    for (const address of link.addresses) {
      // a tentative address is not assigned yet (RFC 4862 §5.4), unless it is optimistic (RFC 4429)
      if (address.ip.family !== 6 || (address.tentative && !address.optimistic) || isMulticast(address.ip) || isUnspecified(address.ip))
        continue
      const candidate = { address, device: link.name }
      if (!best || compare(candidate, best, dst, device) > 0) best = candidate
    }
  }
  return best?.address.ip
}

/** Positive if x is better; the rules in the order of the kernel's IPV6_SADDR_RULE_*. */
function compare(x: Candidate, y: Candidate, dst: Ip, device: string): number {
  for (const rule of RULES) {
    const d = rule(x, dst, device) - rule(y, dst, device)
    if (d !== 0) return d
  }
  return 0
}

type Rule = (c: Candidate, dst: Ip, device: string) => number

const RULES: readonly Rule[] = [
  // 1: the destination itself
  (c, dst) => Number(sameIp(c.address.ip, dst)),
  // 2: appropriate scope: the smallest that is wide enough, else the widest
  (c, dst) => {
    const scope = scopeOf(c.address.ip)
    return scope >= scopeOf(dst) ? -scope : scope - 128
  },
  // 3: not deprecated (nor optimistic)
  (c) => Number(isLoopback(c.address.ip) || !(c.address.deprecated || c.address.optimistic)),
  // 5: of the outgoing device
  (c, _dst, device) => Number(c.device === device),
  // 6: of the destination's label
  (c, dst) => Number(labelOf(c.address.ip) === labelOf(dst)),
  // 7: a public address rather than a temporary one, as use_tempaddr is below 2 by default
  (c) => Number(!c.address.temporary),
  // ORCHID (RFC 4843) to ORCHID
  (c, dst) => Number(contains(ORCHID, c.address.ip) === contains(ORCHID, dst)),
  // 8: the longest prefix in common, as far as the address's own prefix goes
  (c, dst) => Math.min(commonBits(c.address.ip, dst), c.address.prefixLength),
  (c) => Number(!c.address.optimistic),
]

const LINK_SCOPE = 2
const GLOBAL_SCOPE = 14

/** Multicast scope values for all kinds of addresses (RFC 4007 §6, __ipv6_addr_src_scope): ::1 is of link scope. */
function scopeOf(x: Ip): number {
  if (isMulticast(x)) return (x.a >>> 16) & 0xf
  if (isLinkLocal(x) || isLoopback(x)) return LINK_SCOPE
  return x.a >>> 22 === 0x3fb ? 5 : GLOBAL_SCOPE
}

const cidr = (text: string): Prefix => parsePrefix(text) as Prefix
const ORCHID = cidr('2001:10::/28')

/** The kernel's default policy table (ip6addrlbl_init_table), longest prefix first. */
const LABELS: readonly (readonly [Prefix, number])[] = [
  [cidr('::1/128'), 0],
  [cidr('::ffff:0:0/96'), 4],
  [cidr('::/96'), 3],
  [cidr('2001::/32'), 6],
  [cidr('2001:10::/28'), 7],
  [cidr('3ffe::/16'), 12],
  [cidr('2002::/16'), 2],
  [cidr('fec0::/10'), 11],
  [cidr('fc00::/7'), 5],
  [cidr('::/0'), 1],
]

const labelOf = (x: Ip): number => LABELS.find(([p]) => contains(p, x))?.[1] ?? 1
