import { parsePrefix } from '../../net/ip.ts'
import { readIp } from '../addresses.ts'
import { parsePorts } from './options.ts'
import type { NatRange, PortSpec } from './types.ts'

/**
 * `[ADDRESS[-ADDRESS]][:PORT[-PORT[/BASE]]]` of DNAT and SNAT, IPv6 addresses in brackets when ports follow
 * (iptables-extensions(8), extensions/libxt_NAT.c). Undefined if it is not of that form.
 */
export function parseNatRange(text: string): NatRange | undefined {
  const bracket = text.charCodeAt(0) === 91
  const close = bracket ? text.indexOf(']') : -1
  // a bare IPv6 address or range has more than one colon and no port
  const lone = !bracket && text.indexOf(':') !== text.lastIndexOf(':')
  const colon = bracket ? (text.charCodeAt(close + 1) === 58 ? close + 1 : -1) : lone ? -1 : text.indexOf(':')
  if (bracket && (close < 0 || (colon < 0 && close !== text.length - 1))) return undefined
  const addresses = bracket ? text.slice(1, close) : colon < 0 ? text : text.slice(0, colon)
  const range = addresses === '' ? {} : parseAddresses(addresses)
  if (!range || (addresses === '' && colon < 0)) return undefined
  if (colon < 0) return range
  const ports = parseBasedPorts(text.slice(colon + 1))
  return ports && { ...range, ...ports }
}

function parseAddresses(text: string): Pick<NatRange, 'from' | 'to'> | undefined {
  const dash = text.indexOf('-')
  const from = readIp(dash < 0 ? text : text.slice(0, dash))
  const to = dash < 0 ? from : readIp(text.slice(dash + 1))
  return from && to && from.family === to.family ? { from, to } : undefined
}

/** `5000`, `5000-6000`, `5000-6000/7000` (the base of a shifted port map): --to-ports and the end of --to-destination. */
export function parseBasedPorts(text: string): { ports: PortSpec; basePort?: number } | undefined {
  const slash = text.indexOf('/')
  const ports = parsePorts(slash < 0 ? text : text.slice(0, slash), '-')
  if (!ports || slash < 0) return ports && { ports }
  const base = parsePorts(text.slice(slash + 1), '-')
  return base && base.lo === base.hi ? { ports, basePort: base.lo } : undefined
}

/** NETMAP --to: a prefix, or an address with a dotted mask. */
export function parseNetmap(text: string): NatRange | undefined {
  const prefix = parsePrefix(text)
  return prefix && { prefix }
}
