/** IP protocol numbers (IANA). */
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

/** By the names that policies may use, in capitals. */
export const PROTOCOLS: ReadonlyMap<string, number> = new Map([...NAMES].map(([number, name]) => [name.toUpperCase(), number]))

/** A protocol as flows and tests say it: by name, in any case, or by number (0 to 255, in text too). */
export function protocolNumber(said: string | number): number | undefined {
  const text = String(said)
  const number = /^\d{1,3}$/.test(text) ? Number(text) : PROTOCOLS.get(text.toUpperCase())
  return number !== undefined && number <= 255 ? number : undefined
}

/** `TCP`; a number without a name as it is. */
export const protocolName = (protocol: number): string => NAMES.get(protocol) ?? `protocol ${protocol}`

/** Whether packets of the protocol have ports that policies can name. */
export const hasPorts = (protocol: number): boolean => protocol === TCP || protocol === UDP || protocol === SCTP || protocol === UDPLITE

/** The protocols that Kubernetes' network policies speak of; what they mean for any other is undefined (network-policies page, API types). */
export const isKubernetesProtocol = (protocol: number): boolean => protocol === TCP || protocol === UDP || protocol === SCTP
