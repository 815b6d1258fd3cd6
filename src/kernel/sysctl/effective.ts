import type { Family } from '../../net/ip.ts'
import type { Source } from '../source.ts'
import type { Sysctls } from './types.ts'

/**
 * What a setting comes to for one device. The kernel combines `conf/all` and `conf/DEVICE` in a different way for each setting
 * (IN_DEV_MAXCONF, IN_DEV_ORCONF, IN_DEV_CONF_GET in include/linux/inetdevice.h; Documentation/networking/ip-sysctl.rst).
 * Each function gives undefined if the dump lacks what it takes to tell.
 */
export interface Setting<T> extends Source {
  readonly value: T
  /** the entry that decided, as in the dump */
  readonly key: string
}

/** `net.ipv4.ip_forward = 0`; a supposed one, which stands in no dump, says so. */
export const settingText = ({ key, value, line }: Setting<number | boolean>): string =>
  `${key} = ${Number(value)}${line === 0 ? ' (what if)' : ''}`

/** Key of a device's setting: sysctl prints the dots of a device's name as `/`. */
export const deviceKey = (family: Family, device: string, name: string): string =>
  `net.ipv${family}.conf.${device.replaceAll('.', '/')}.${name}`

/** One entry that must be a number. */
export function number(sysctls: Sysctls | undefined, key: string): Setting<number> | undefined {
  const entry = sysctls?.get(key)
  if (!sysctls || !entry || !/^-?\d{1,10}$/.test(entry.value)) return undefined
  return { value: Number(entry.value), key, file: sysctls.file, line: entry.line }
}

/** Settings of devices by name, then device: every packet asks for several on each host, and building the key costs more than the answer. */
const known = { 4: new WeakMap<Sysctls, OfDevices>(), 6: new WeakMap<Sysctls, OfDevices>() }
type OfDevices = Map<string, Map<string, Setting<number> | undefined>>

function ofDevice(s: Sysctls | undefined, family: Family, device: string, name: string): Setting<number> | undefined {
  if (!s) return undefined
  let names = known[family].get(s)
  if (!names) known[family].set(s, (names = new Map()))
  let devices = names.get(name)
  if (!devices) names.set(name, (devices = new Map()))
  if (!devices.has(device)) devices.set(device, number(s, deviceKey(family, device, name)))
  return devices.get(device)
}

const truth = (s: Setting<number> | undefined): Setting<boolean> | undefined => s && { ...s, value: s.value !== 0 }

const flag = (s: Sysctls | undefined, family: Family, device: string, name: string): Setting<boolean> | undefined =>
  truth(ofDevice(s, family, device, name))

/** IN_DEV_MAXCONF: unknown unless both are there. */
function larger(s: Sysctls | undefined, device: string, name: string): Setting<number> | undefined {
  const all = ofDevice(s, 4, 'all', name)
  const own = ofDevice(s, 4, device, name)
  if (!all || !own) return undefined
  return own.value >= all.value ? own : all
}

/** IN_DEV_ORCONF: one that is set is enough to know. */
function either(s: Sysctls | undefined, family: Family, device: string, name: string): Setting<boolean> | undefined {
  const all = flag(s, family, 'all', name)
  const own = flag(s, family, device, name)
  if (own?.value) return own
  if (all?.value) return all
  return all && own
}

/** 0 off, 1 strict (RFC 3704), 2 loose: max(all, device). */
export const rpFilter = (s: Sysctls | undefined, device: string): Setting<number> | undefined => larger(s, device, 'rp_filter')

/** Does the reverse lookup use the packet's mark? all OR device. */
export const srcValidMark = (s: Sysctls | undefined, device: string): Setting<boolean> | undefined => either(s, 4, device, 'src_valid_mark')

/** May packets come in with one of the host's own addresses as source? all OR device. */
export const acceptLocal = (s: Sysctls | undefined, device: string): Setting<boolean> | undefined => either(s, 4, device, 'accept_local')

/** May 127.0.0.0/8 be routed? all OR device. */
export const routeLocalnet = (s: Sysctls | undefined, device: string): Setting<boolean> | undefined =>
  either(s, 4, device, 'route_localnet')

/** Does it answer ARP for addresses that it routes elsewhere? all OR device. */
export const proxyArp = (s: Sysctls | undefined, device: string): Setting<boolean> | undefined => either(s, 4, device, 'proxy_arp')

/** Which ARP requests are answered: max(all, device). */
export const arpIgnore = (s: Sysctls | undefined, device: string): Setting<number> | undefined => larger(s, device, 'arp_ignore')

/** all OR device. Makes fib_validate_source look closer at packets that leave where they came in. */
export const sendRedirects = (s: Sysctls | undefined, device: string): Setting<boolean> | undefined =>
  either(s, 4, device, 'send_redirects')

/** The device alone (IN_DEV_CONF_GET; writing IPv6's `all` copies to every device, addrconf_sysctl_ignore_routes_with_linkdown). */
const ignoreRoutesWithLinkdown = (s: Sysctls | undefined, family: Family, device: string): Setting<boolean> | undefined =>
  flag(s, family, device, 'ignore_routes_with_linkdown')

/**
 * Are packets that come in by `device` forwarded? IPv4 asks the incoming device alone (IN_DEV_FORWARD in ip_route_input_slow);
 * IPv6 asks the whole host (conf/all in ip6_forward), or since Linux 6.17 the device's `force_forwarding`.
 */
export function forwarding(s: Sysctls | undefined, family: Family, device: string): Setting<boolean> | undefined {
  if (family === 4) return flag(s, 4, device, 'forwarding')
  const forced = flag(s, 6, device, 'force_forwarding')
  return forced?.value ? forced : flag(s, 6, 'all', 'forwarding')
}

/** Is the source of an ICMPv4 error the address of the device by which the offender came in (icmp_errors_use_inbound_ifaddr)? */
export const icmpErrorsUseInboundIfaddr = (s: Sysctls | undefined): Setting<boolean> | undefined =>
  truth(number(s, 'net.ipv4.icmp_errors_use_inbound_ifaddr'))

/** First TTL of the host's own IPv4 packets. */
export const defaultTtl = (s: Sysctls | undefined): Setting<number> | undefined => number(s, 'net.ipv4.ip_default_ttl')

/** What IPv6 sends by a device in one piece; follows the device's MTU until it is set or a router advertises less. */
export const ipv6Mtu = (s: Sysctls | undefined, device: string): Setting<number> | undefined => number(s, deviceKey(6, device, 'mtu'))

/** First hop limit of IPv6 packets that leave by `device`. */
export const hopLimit = (s: Sysctls | undefined, device: string): Setting<number> | undefined =>
  number(s, deviceKey(6, device, 'hop_limit'))

/** Does a bridge hand the packets that it forwards to iptables (or ip6tables)? */
export const bridgeNfCall = (s: Sysctls | undefined, family: Family): Setting<boolean> | undefined =>
  truth(number(s, `net.bridge.bridge-nf-call-${family === 4 ? 'iptables' : 'ip6tables'}`))

/** May conntrack pick up a TCP connection in mid-stream? For both families (nf_conntrack-sysctl.rst). */
export const tcpLoose = (s: Sysctls | undefined): Setting<number> | undefined => number(s, 'net.netfilter.nf_conntrack_tcp_loose')

/** Devices whose routes are passed over while they have no carrier, for `indexRoutes`. */
export function linkdownIgnored(s: Sysctls | undefined, family: Family, devices: readonly string[]): ReadonlySet<string> {
  return new Set(devices.filter((device) => ignoreRoutesWithLinkdown(s, family, device)?.value))
}
