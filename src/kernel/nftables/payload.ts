/** Fields of headers (nft_payload.c, and the dependencies that nft puts before them and leaves out when it prints). */
import { isMulticast } from '../../net/ip.ts'
import { type Packet, type PortRange, protocolNumber } from '../../net/packet.ts'
import { segmentFlags } from '../iptables/match-ports.ts'
import { lengthBounds } from '../iptables/packet-length.ts'
import type { NftEnv } from './env.ts'
import { address, number, type Operand, toBig, unknownOperand } from './operand.ts'

/** Protocols above IP by the names that nft gives their headers. */
const transports: Readonly<Record<string, number>> = {
  tcp: 6,
  udp: 17,
  udplite: 136,
  dccp: 33,
  sctp: 132,
  icmp: 1,
  igmp: 2,
  icmpv6: 58,
  ah: 51,
  esp: 50,
  comp: 108,
  gre: 47,
}

/** Undefined: there is no such header, and the rule ends (NFT_BREAK), whatever the operator. */
export function evaluatePayload(protocol: string, field: string, env: NftEnv): Operand | undefined {
  const { packet } = env
  switch (protocol) {
    case 'ip':
      return packet.family === 4 ? ipField(protocol, field, env) : undefined
    case 'ip6':
      return packet.family === 6 ? ipField(protocol, field, env) : undefined
    case 'th':
      return thField(packet, field)
    case 'ether':
      return etherField(field, env)
    case 'arp':
    case 'vlan':
      return undefined
    default: {
      const wanted = Object.hasOwn(transports, protocol) ? transports[protocol] : undefined
      if (wanted === undefined) return notKnown(`${protocol} ${field}`)
      return protocolNumber(packet.proto) === wanted ? transportField(packet, protocol, field) : undefined
    }
  }
}

const notKnown = (what: string): Operand => unknownOperand(`${what} is not in the snapshot`)

/** Fields of the IP header; some have other names in IPv6. */
function ipField(protocol: 'ip' | 'ip6', field: string, env: NftEnv): Operand {
  const { packet } = env
  const { family } = packet
  switch (field) {
    case 'saddr':
      return address(packet.src)
    case 'daddr':
      return address(packet.dst)
    case 'protocol':
    case 'nexthdr':
      return number(protocolNumber(packet.proto))
    case 'ttl':
    case 'hoplimit':
      return number(packet.ttl)
    case 'version':
      return number(family)
    case 'dscp':
    case 'ecn':
      return trafficClass(field, env)
    case 'length':
      // IPv6 does not count its own header
      return lengthOf(packet, family === 4 ? 0 : 40)
    case 'hdrlength':
      return family === 4 ? number(5) : notKnown(`${protocol} ${field}`)
    case 'frag-off':
      // whole packets: of this word only “don't fragment” may be set, as path MTU discovery wants it
      return family === 4 ? { kind: 'bits', value: 0, open: 0x4000 } : notKnown(`${protocol} ${field}`)
    default:
      return notKnown(`${protocol} ${field}`)
  }
}

function trafficClass(field: 'dscp' | 'ecn', env: NftEnv): Operand {
  if (env.packet.tos === undefined) env.assume('packets carry no TOS and DSCP')
  const tos = env.packet.tos ?? 0
  return number(field === 'dscp' ? tos >> 2 : tos & 3)
}

/** The length of the whole IP packet, `less` so many bytes. */
export function lengthOf(packet: Packet, less: number): Operand {
  const { lo, hi } = lengthBounds(packet)
  if (lo === hi) return number(lo - less)
  return { kind: 'one of', lo: lo - less, hi: hi - less, what: 'the length of the packet', skewed: true }
}

function portOf(range: PortRange | undefined, side: string): Operand | undefined {
  if (!range) return undefined
  if (range.lo === range.hi) return number(range.lo)
  return { kind: 'one of', lo: range.lo, hi: range.hi, what: `the ${side} port (one of ${range.lo}-${range.hi})` }
}

/** The first bytes above IP, whatever the protocol: ports, or what ICMP has in their place (type and code, checksum). */
function thField(packet: Packet, field: string): Operand | undefined {
  if (packet.icmp) {
    if (field === 'sport') return number(packet.icmp.type * 256 + packet.icmp.code)
    if (field === 'dport') return { kind: 'one of', lo: 0, hi: 0xffff, what: 'the ICMP checksum' }
    return notKnown(`th ${field}`)
  }
  if (field === 'sport') return portOf(packet.sport, 'source') ?? notKnown('th sport')
  if (field === 'dport') return portOf(packet.dport, 'destination') ?? notKnown('th dport')
  return notKnown(`th ${field}`)
}

function transportField(packet: Packet, protocol: string, field: string): Operand | undefined {
  if (packet.icmp) return icmpField(packet, protocol, field)
  switch (field) {
    case 'sport':
      return portOf(packet.sport, 'source')
    case 'dport':
      return portOf(packet.dport, 'destination')
    case 'flags':
      if (protocol === 'tcp' && packet.tcp) {
        const { set, open } = segmentFlags[packet.tcp]
        return { kind: 'bits', value: set, open }
      }
      return notKnown(`${protocol} flags`)
    case 'length': {
      const whole = protocol === 'udp' ? lengthOf(packet, packet.family === 4 ? 20 : 40) : undefined
      return whole ?? notKnown(`${protocol} length`)
    }
    default:
      return notKnown(`${protocol} ${field}`)
  }
}

/** Fields that only some messages have: nft puts a match on the type before them. */
const messages: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>> = {
  icmp: { id: [0, 8], sequence: [0, 8], gateway: [5], mtu: [3] },
  icmpv6: {
    id: [128, 129],
    sequence: [128, 129],
    mtu: [2],
    'parameter-problem': [4],
    'max-delay': [130],
    taddr: [135, 136, 137],
    daddr: [137],
  },
}

function icmpField({ icmp, dst }: Packet, protocol: string, field: string): Operand | undefined {
  if (!icmp) return undefined
  if (field === 'type') return number(icmp.type)
  if (field === 'code') return number(icmp.code)
  const types = messages[protocol]?.[field]
  if (types && !types.includes(icmp.type)) return undefined
  // the address that a solicitation asks for is the end of the group that it is sent to (RFC 4291 §2.7.1); the rest is not kept
  return notKnown(`${protocol} ${field}${isMulticast(dst) ? ` of ${dst.text}` : ''}`)
}

/** nft asks for `meta iiftype ether` first, which a packet of this host hasn't (nft_meta.c: no device, no match). */
function etherField(field: string, { inDevice, packet, hook }: NftEnv): Operand | undefined {
  if (!inDevice || inDevice.kind === 'loopback' || !isEthernet(inDevice.kind)) return undefined
  if (field === 'type') return number(packet.family === 4 ? 0x0800 : 0x86dd)
  if (field === 'daddr' && inDevice.mac && hook !== 'FORWARD' && hook !== 'POSTROUTING') return number(macNumber(inDevice.mac))
  return notKnown(`ether ${field}`)
}

const layer3 = new Set(['loopback', 'ipip', 'sit', 'ip6tnl', 'gre', 'wireguard', 'tun', 'vti', 'ppp', 'none'])

/** Whether frames of this kind of device have an Ethernet header. */
export const isEthernet = (kind: string): boolean => !layer3.has(kind)
const macNumber = (mac: string): number => Number.parseInt(mac.replaceAll(':', ''), 16)

/** Where fields stand that are also asked for as `@nh,96,32`: start and length in bits. */
const places: readonly (readonly [base: string, family: 4 | 6 | 0, offset: number, length: number, protocol: string, field: string])[] = [
  ['nh', 4, 64, 8, 'ip', 'ttl'],
  ['nh', 4, 72, 8, 'ip', 'protocol'],
  ['nh', 4, 96, 32, 'ip', 'saddr'],
  ['nh', 4, 128, 32, 'ip', 'daddr'],
  ['nh', 4, 16, 16, 'ip', 'length'],
  ['nh', 6, 32, 16, 'ip6', 'length'],
  ['nh', 6, 48, 8, 'ip6', 'nexthdr'],
  ['nh', 6, 56, 8, 'ip6', 'hoplimit'],
  ['nh', 6, 64, 128, 'ip6', 'saddr'],
  ['nh', 6, 192, 128, 'ip6', 'daddr'],
  ['th', 0, 0, 16, 'th', 'sport'],
  ['th', 0, 16, 16, 'th', 'dport'],
]

/** Bits of a header as a number: known where they are just one of its fields. */
export function evaluateRaw(base: string, offset: number, length: number, env: NftEnv): Operand | undefined {
  const { family, icmp } = env.packet
  if (base === 'th' && icmp && length === 8 && (offset === 0 || offset === 8)) return number(offset === 0 ? icmp.type : icmp.code)
  const place = places.find(([b, f, o, l]) => b === base && (f === 0 || f === family) && o === offset && l === length)
  const value = place && evaluatePayload(place[4], place[5], env)
  if (value?.kind !== 'ip') return value ?? unknownOperand(`not modelled: @${base},${offset},${length}`)
  const big = toBig(value) as bigint
  return family === 4 ? number(Number(big)) : { kind: 'big', value: big }
}
