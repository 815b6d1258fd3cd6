import type { Family } from '../../net/ip.ts'
import type { Sysctls } from './types.ts'

/**
 * What a setting comes to for one device. The kernel combines `conf/all` and `conf/DEVICE` in a different way for each setting
 * (IN_DEV_MAXCONF, IN_DEV_ORCONF, IN_DEV_CONF_GET in include/linux/inetdevice.h; Documentation/networking/ip-sysctl.rst).
 * Each function gives undefined if the dump lacks what it takes to tell.
 */
export interface Setting<T> {
  readonly value: T
  /** the entry that decided, for evidence */
  readonly key: string
  readonly file: string
  readonly line: number
}

/** Key of a device's setting: sysctl prints the dots of a device's name as `/`. */
export const deviceKey = (family: Family, device: string, name: string): string => `net.ipv${family}.conf.${device.replaceAll('.', '/')}.${name}`

/** One entry as a number. */
export function number(sysctls: Sysctls | undefined, key: string): Setting<number> | undefined {
  const entry = sysctls?.get(key)
  if (!sysctls || !entry || !/^-?\d{1,10}$/.test(entry.value)) return undefined
  return { value: Number(entry.value), key, file: sysctls.file, line: entry.line }
}

const truth = (setting: Setting<number> | undefined): Setting<boolean> | undefined => setting && { ...setting, value: setting.value !== 0 }

/** The larger of all and device; unknown unless both are there. */
function larger(sysctls: Sysctls | undefined, device: string, name: string): Setting<number> | undefined {
  const all = number(sysctls, deviceKey(4, 'all', name))
  const own = number(sysctls, deviceKey(4, device, name))
  if (!all || !own) return undefined
  return own.value >= all.value ? own : all
}

/** True if either is set: one that is set is enough to know. */
function either(sysctls: Sysctls | undefined, device: string, name: string): Setting<boolean> | undefined {
  const all = truth(number(sysctls, deviceKey(4, 'all', name)))
  const own = truth(number(sysctls, deviceKey(4, device, name)))
  if (own?.value) return own
  if (all?.value) return all
  return all && own
}

/** 0 off, 1 strict (RFC 3704), 2 loose: max(all, device). */
export const rpFilter = (s: Sysctls | undefined, device: string): Setting<number> | undefined => larger(s, device, 'rp_filter')

/** Does the reverse lookup use the packet's mark? all OR device. */
export const srcValidMark = (s: Sysctls | undefined, device: string): Setting<boolean> | undefined => either(s, device, 'src_valid_mark')

/** May packets come in with one of the host's own addresses as source? all OR device. */
export const acceptLocal = (s: Sysctls | undefined, device: string): Setting<boolean> | undefined => either(s, device, 'accept_local')

/** May 127.0.0.0/8 be routed? all OR device. */
export const routeLocalnet = (s: Sysctls | undefined, device: string): Setting<boolean> | undefined => either(s, device, 'route_localnet')

/** all OR device: does it answer ARP for addresses that it routes elsewhere? */
export const proxyArp = (s: Sysctls | undefined, device: string): Setting<boolean> | undefined => either(s, device, 'proxy_arp')

/** max(all, device): which ARP requests are answered. */
export const arpIgnore = (s: Sysctls | undefined, device: string): Setting<number> | undefined => larger(s, device, 'arp_ignore')

/** all OR device: answer ARP only where the route back leaves by the same device. */
export const arpFilter = (s: Sysctls | undefined, device: string): Setting<boolean> | undefined => either(s, device, 'arp_filter')

/** all OR device. Decides whether fib_validate_source looks closer at packets that leave where they came in. */
export const sendRedirects = (s: Sysctls | undefined, device: string): Setting<boolean> | undefined => either(s, device, 'send_redirects')

/** The device alone: `all` is only a switch that sets every device (devinet_conf_proc). */
export const ignoreRoutesWithLinkdown = (s: Sysctls | undefined, family: Family, device: string): Setting<boolean> | undefined =>
  truth(number(s, deviceKey(family, device, 'ignore_routes_with_linkdown')))

/**
 * Are packets that come in by `device` forwarded? IPv4 asks the incoming device alone (IN_DEV_FORWARD in ip_route_input_slow);
 * IPv6 asks the whole host (conf/all in ip6_forward), or since Linux 6.17 the device's `force_forwarding`.
 */
export function forwarding(s: Sysctls | undefined, family: Family, device: string): Setting<boolean> | undefined {
  if (family === 4) return truth(number(s, deviceKey(4, device, 'forwarding')))
  const forced = truth(number(s, deviceKey(6, device, 'force_forwarding')))
  return forced?.value ? forced : truth(number(s, deviceKey(6, 'all', 'forwarding')))
}

/** Is IPv6 off on the device? conf/all copies to the devices when it is written, so the device alone tells. */
export const disableIpv6 = (s: Sysctls | undefined, device: string): Setting<boolean> | undefined => truth(number(s, deviceKey(6, device, 'disable_ipv6')))

/** NDP proxying: conf/all OR device (ndisc_recv_ns). */
export function proxyNdp(s: Sysctls | undefined, device: string): Setting<boolean> | undefined {
  const all = truth(number(s, deviceKey(6, 'all', 'proxy_ndp')))
  const own = truth(number(s, deviceKey(6, device, 'proxy_ndp')))
  if (own?.value) return own
  if (all?.value) return all
  return all && own
}

/** Is the source of an ICMPv4 error the address of the device by which the offender came in? */
export const icmpErrorsUseInboundIfaddr = (s: Sysctls | undefined): Setting<boolean> | undefined => truth(number(s, 'net.ipv4.icmp_errors_use_inbound_ifaddr'))

/** First TTL of the host's own IPv4 packets. */
export const defaultTtl = (s: Sysctls | undefined): Setting<number> | undefined => number(s, 'net.ipv4.ip_default_ttl')

/** First hop limit of packets that leave by `device`. */
export const hopLimit = (s: Sysctls | undefined, device: string): Setting<number> | undefined => number(s, deviceKey(6, device, 'hop_limit'))

/** 0: layer 3, 1: layer 4, 2: layer 3 of the inner packet, 3: as fib_multipath_hash_fields says. */
export const multipathHashPolicy = (s: Sysctls | undefined, family: Family): Setting<number> | undefined => number(s, `net.ipv${family}.fib_multipath_hash_policy`)

/** Does a bridge hand the packets that it forwards to iptables (or ip6tables)? */
export const bridgeNfCall = (s: Sysctls | undefined, family: Family): Setting<boolean> | undefined =>
  truth(number(s, `net.bridge.bridge-nf-call-${family === 4 ? 'iptables' : 'ip6tables'}`))

/** `lo hi` of the local port range. */
export function localPortRange(s: Sysctls | undefined): Setting<{ readonly lo: number; readonly hi: number }> | undefined {
  const key = 'net.ipv4.ip_local_port_range'
  const entry = s?.get(key)
  const match = entry && /^(\d{1,5})\s+(\d{1,5})$/.exec(entry.value)
  return s && match ? { value: { lo: Number(match[1]), hi: Number(match[2]) }, key, file: s.file, line: entry.line } : undefined
}

/** Devices whose routes are passed over while they have no carrier. */
export function linkdownIgnored(s: Sysctls | undefined, devices: readonly string[]): ReadonlySet<string> {
  return new Set(devices.filter((device) => ignoreRoutesWithLinkdown(s, 4, device)?.value || ignoreRoutesWithLinkdown(s, 6, device)?.value))
}
