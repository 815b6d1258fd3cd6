import { type Packet, type PortRange, protocolNumber } from '../../net/packet.ts'
import { assume, type Doubt, unknown } from './doubt.ts'
import { formatPorts } from './options.ts'
import type { Match, PortOption, PortSpec } from './types.ts'

type Kind<K extends Match['kind']> = Extract<Match, { kind: K }>

const modules: Readonly<Record<string, number>> = { tcp: 6, udp: 17, udplite: 136, sctp: 132, dccp: 33 }

/** `-m tcp|udp|udplite|sctp|dccp` (net/netfilter/xt_tcpudp.c, xt_sctp.c, xt_dccp.c). The kernel loads them only beside `-p` of that protocol. */
export function matchPorts(match: Kind<'ports'>, packet: Packet, doubts: Doubt[]): boolean {
  if (protocolNumber(packet.proto) !== modules[match.module]) return false
  for (const option of match.options) if (!matchOption(option, match.module, packet, doubts)) return false
  return true
}

function matchOption(option: PortOption, module: string, packet: Packet, doubts: Doubt[]): boolean {
  switch (option.kind) {
    case 'sport':
      return inSpecs(packet.sport, [option.port], option.not === true, 'source', doubts)
    case 'dport':
      return inSpecs(packet.dport, [option.port], option.not === true, 'destination', doubts)
    case 'tcp-flags':
      return matchFlags(option, packet, doubts)
    case 'other':
      return unknown(doubts, `not modelled: -m ${module} ${option.words.join(' ')}`, option.not)
  }
}

/** Below this chance to hit them, an ephemeral port is taken to miss the few ports that a rule singles out (VXLAN's 4789 among 64,512). */
const REMOTE = 0.001

/** Is the port in one of the intervals? A port that is known only as an interval decides if (nearly) all of it or none of it is inside. */
function inSpecs(port: PortRange | undefined, specs: readonly PortSpec[], not: boolean, side: string, doubts: Doubt[]): boolean {
  const held = port ? covered(port, specs) : undefined
  if (held !== undefined) return held !== not
  if (port && share(port, specs) < REMOTE) {
    return assume(
      doubts,
      `a port chosen at random is taken to be none of the few that rules single out (${specs.map(formatPorts).join(',')})`,
      not,
    )
  }
  const known = port ? ` (one of ${formatPorts(port)})` : ''
  return unknown(doubts, `the ${side} port is not known${known}: is it ${specs.map(formatPorts).join(',')}?`, not)
}

/** How much of the range the intervals hold (counted twice where they overlap). */
const share = (port: PortRange, specs: readonly PortSpec[]): number =>
  specs.reduce((sum, s) => sum + Math.max(0, Math.min(s.hi, port.hi) - Math.max(s.lo, port.lo) + 1), 0) / (port.hi - port.lo + 1)

/** Do the intervals hold every port of the range (true), none (false), some (undefined)? */
export function covered(port: PortRange, specs: readonly PortSpec[]): boolean | undefined {
  if (port.lo === port.hi) return specs.some((s) => s.lo <= port.lo && port.lo <= s.hi)
  let from = port.lo
  let touched = false
  for (const spec of specs.toSorted((x, y) => x.lo - y.lo)) {
    if (spec.hi < port.lo || spec.lo > port.hi || spec.lo > spec.hi) continue
    touched = true
    if (spec.lo <= from) from = Math.max(from, spec.hi + 1)
  }
  return touched ? (from > port.hi ? true : undefined) : false
}

/** `-m multiport` (net/netfilter/xt_multiport.c): with `--ports` the source or the destination port. Only protocols with ports. */
export function matchMultiport(match: Kind<'multiport'>, packet: Packet, doubts: Doubt[]): boolean {
  // xt_multiport.c, check(): -p tcp, udp, udplite, sctp or dccp must stand beside it
  if (!Object.values(modules).includes(protocolNumber(packet.proto))) return false
  const not = match.not === true
  if (match.which === 'sports') return inSpecs(packet.sport, match.ports, not, 'source', doubts)
  if (match.which === 'dports') return inSpecs(packet.dport, match.ports, not, 'destination', doubts)
  const [source, destination] = [packet.sport, packet.dport].map((p) => (p ? covered(p, match.ports) : undefined))
  if (source || destination) return !not
  if (source === false && destination === false) return not
  return destination === undefined
    ? inSpecs(packet.dport, match.ports, not, 'destination', doubts)
    : inSpecs(packet.sport, match.ports, not, 'source', doubts)
}

const flagBits: Readonly<Record<string, number>> = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16, URG: 32 }
const bits = (names: readonly string[]) => names.reduce((sum, name) => sum | (flagBits[name] ?? 0), 0)

/** Flags that are set, and flags that can't be told: PSH of a segment with data, ACK of a RST (RFC 9293 §3.10.7.1: it depends on what it answers). */
export const segmentFlags: Readonly<Record<NonNullable<Packet['tcp']>, { readonly set: number; readonly open: number }>> = {
  SYN: { set: 2, open: 0 },
  'SYN-ACK': { set: 18, open: 0 },
  ACK: { set: 16, open: 8 },
  RST: { set: 4, open: 16 },
}

/** `(flags & mask) == set` (xt_tcpudp.c, tcp_mt, FWINVTCP). */
function matchFlags(option: Extract<PortOption, { kind: 'tcp-flags' }>, packet: Packet, doubts: Doubt[]): boolean {
  const not = option.not === true
  const [mask, set] = [bits(option.mask), bits(option.set)]
  if (!packet.tcp) return unknown(doubts, `the TCP flags are not known: -m tcp ${option.text}`, not)
  const segment = segmentFlags[packet.tcp]
  if (((segment.set ^ set) & mask & ~segment.open) !== 0 || (set & ~mask) !== 0) return not
  return (mask & segment.open) === 0 ? !not : unknown(doubts, `not known of a ${packet.tcp}: -m tcp ${option.text}`, not)
}

/** `-m icmp`, `-m icmp6` (icmp_type_code_match, icmp6_type_code_match of xt_tcpudp.c; type 255 is any type for IPv4 only). */
export function matchIcmp(match: Kind<'icmp'>, packet: Packet): boolean {
  if (packet.proto !== (match.module === 'icmp' ? 'icmp' : 'icmpv6') || !packet.icmp) return false
  const { type, code } = packet.icmp
  if (match.module === 'icmp' && match.type === 255) return match.not !== true
  const same = type === match.type && (!match.code || (code >= match.code.lo && code <= match.code.hi))
  return same !== (match.not === true)
}
