/** IP protocol numbers (IANA) by the names that policies may use, in capitals. */
export const PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ['ICMP', 1],
  ['TCP', 6],
  ['UDP', 17],
  ['ICMPV6', 58],
  ['SCTP', 132],
  ['UDPLITE', 136],
])

export const ICMP = 1
export const TCP = 6
export const UDP = 17
export const ICMPV6 = 58
export const SCTP = 132
const UDPLITE = 136

const NAMES: ReadonlyMap<number, string> = new Map([
  [ICMP, 'ICMP'],
  [TCP, 'TCP'],
  [UDP, 'UDP'],
  [ICMPV6, 'ICMPv6'],
  [SCTP, 'SCTP'],
  [UDPLITE, 'UDPLite'],
])

/** `TCP`; a number without a name as it is. */
export const protocolName = (protocol: number): string => NAMES.get(protocol) ?? `protocol ${protocol}`

export const hasPorts = (protocol: number): boolean => protocol === TCP || protocol === UDP || protocol === SCTP || protocol === UDPLITE

/** The protocols that Kubernetes' network policies speak of; what they mean for any other is undefined (network-policies page, API types). */
export const isKubernetesProtocol = (protocol: number): boolean => protocol === TCP || protocol === UDP || protocol === SCTP
