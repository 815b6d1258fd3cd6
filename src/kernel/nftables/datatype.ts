import type { Expression } from './expression-types.ts'

/**
 * The data type of an expression by its name in nft (`nft describe EXPRESSION`), one a part for a concatenation. `ip` stands for an address
 * of either family; undefined where nothing is known.
 */
export type DataType = string | readonly (string | undefined)[] | undefined

const PAYLOAD: Readonly<Record<string, string>> = {
  'ip saddr': 'ipv4_addr',
  'ip daddr': 'ipv4_addr',
  'ip protocol': 'inet_proto',
  'ip dscp': 'dscp',
  'ip ecn': 'ecn',
  'ip6 saddr': 'ipv6_addr',
  'ip6 daddr': 'ipv6_addr',
  'ip6 nexthdr': 'inet_proto',
  'ip6 dscp': 'dscp',
  'ip6 ecn': 'ecn',
  'icmp type': 'icmp_type',
  'icmp code': 'icmp_code',
  'icmpv6 type': 'icmpv6_type',
  'icmpv6 code': 'icmpv6_code',
  'icmpv6 taddr': 'ipv6_addr',
  'icmpv6 daddr': 'ipv6_addr',
  'igmp type': 'igmp_type',
  'igmp group': 'ipv4_addr',
  'tcp flags': 'tcp_flag',
  'dccp type': 'dccp_pkttype',
  'ah nexthdr': 'inet_proto',
  'comp nexthdr': 'inet_proto',
  'ether saddr': 'ether_addr',
  'ether daddr': 'ether_addr',
  'ether type': 'ether_type',
  'vlan type': 'ether_type',
  'arp ptype': 'ether_type',
  'arp operation': 'arp_op',
  'arp saddr ether': 'ether_addr',
  'arp daddr ether': 'ether_addr',
  'arp saddr ip': 'ipv4_addr',
  'arp daddr ip': 'ipv4_addr',
  'gre protocol': 'ether_type',
}
const WITH_PORTS = new Set(['tcp', 'udp', 'udplite', 'sctp', 'dccp', 'th'])

const META: Readonly<Record<string, string>> = {
  mark: 'mark',
  l4proto: 'inet_proto',
  nfproto: 'nf_proto',
  protocol: 'ether_type',
  iif: 'iface_index',
  oif: 'iface_index',
  sdif: 'iface_index',
  iifname: 'ifname',
  oifname: 'ifname',
  sdifname: 'ifname',
  ibrname: 'ifname',
  obrname: 'ifname',
  ibriport: 'ifname',
  obriport: 'ifname',
  ibridgename: 'ifname',
  obridgename: 'ifname',
  iifkind: 'ifname',
  oifkind: 'ifname',
  iiftype: 'iface_type',
  oiftype: 'iface_type',
  iifgroup: 'devgroup',
  oifgroup: 'devgroup',
  pkttype: 'pkt_type',
  priority: 'classid',
  rtclassid: 'realm',
  skuid: 'uid',
  skgid: 'gid',
  ipsec: 'boolean',
  secpath: 'boolean',
  ibrvproto: 'ether_type',
  time: 'time',
  hour: 'hour',
  day: 'day',
  ibrhwaddr: 'ether_addr',
}

const CT: Readonly<Record<string, string>> = {
  state: 'ct_state',
  status: 'ct_status',
  direction: 'ct_dir',
  event: 'ct_event',
  label: 'ct_label',
  mark: 'mark',
  expiration: 'time',
  helper: 'string',
  l3proto: 'nf_proto',
  protocol: 'inet_proto',
  saddr: 'ip',
  daddr: 'ip',
  'proto-src': 'inet_service',
  'proto-dst': 'inet_service',
}

const lookUp = (table: Readonly<Record<string, string>>, key: string): string =>
  Object.hasOwn(table, key) ? (table[key] as string) : 'integer'
const address = (family: 'ip' | 'ip6' | undefined): string => (family === undefined ? 'ip' : family === 'ip' ? 'ipv4_addr' : 'ipv6_addr')

/** The data type that nft gives an expression: by it the other side of a match and the elements of a set are read and printed. */
export function typeOf(e: Expression): DataType {
  switch (e.kind) {
    case 'payload':
      if ((e.field === 'dport' || e.field === 'sport') && WITH_PORTS.has(e.protocol)) return 'inet_service'
      return lookUp(PAYLOAD, `${e.protocol} ${e.field}`)
    case 'meta':
      return lookUp(META, e.key)
    case 'ct':
      return e.key === 'saddr' || e.key === 'daddr' ? address(e.family) : lookUp(CT, e.key)
    case 'fib':
      return e.result === 'type' ? 'fib_addrtype' : e.result === 'oif' ? 'iface_index' : e.result === 'oifname' ? 'ifname' : 'boolean'
    case 'rt':
      return e.key === 'nexthop' ? address(e.family) : e.key === 'classid' ? 'realm' : e.key === 'ipsec' ? 'boolean' : 'integer'
    case 'socket':
      return e.key === 'mark' ? 'mark' : e.key === 'cgroupv2' ? 'string' : 'integer'
    case 'osf':
      return 'string'
    case 'ipsec':
      return e.key === 'saddr' || e.key === 'daddr' ? address(e.family) : 'integer'
    case 'exthdr':
      if (e.field === undefined) return 'boolean'
      if (e.field === 'nexthdr') return 'inet_proto'
      if (e.header === 'mh' && e.field === 'type') return 'mh_type'
      return /^(?:addr|sid)\b/.test(e.field) ? 'ipv6_addr' : 'integer'
    case 'tcp option':
    case 'ip option':
    case 'sctp chunk':
      if (e.field === undefined) return 'boolean'
      return e.kind === 'ip option' && e.field === 'addr' ? 'ipv4_addr' : 'integer'
    case 'dccp option':
      return 'boolean'
    case 'concat':
      return e.parts.map((p) => {
        const type = typeOf(p)
        return typeof type === 'string' ? type : undefined
      })
    case 'binary':
      return typeOf(e.left)
    case 'ip':
      return e.ip.family === 4 ? 'ipv4_addr' : 'ipv6_addr'
    case 'numgen':
    case 'jhash':
    case 'symhash':
    case 'raw payload':
    case 'raw tcp option':
      return 'integer'
    default:
      return undefined
  }
}
