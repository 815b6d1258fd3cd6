/** What writing a sysctl changes (net/ipv4/devinet.c, net/ipv6/addrconf.c): some settings are those of every device at once. */
import type { Family } from '../../net/ip.ts'
import { deviceKey } from './effective.ts'

/** What the walk asks of devices. */
const perDevice: Readonly<Record<Family, readonly string[]>> = {
  4: [
    'forwarding',
    'rp_filter',
    'accept_local',
    'route_localnet',
    'src_valid_mark',
    'proxy_arp',
    'arp_ignore',
    'send_redirects',
    'ignore_routes_with_linkdown',
  ],
  6: ['forwarding', 'force_forwarding', 'ignore_routes_with_linkdown', 'hop_limit'],
}

/** What it asks of the namespace. */
const global = [
  'net.ipv4.ip_default_ttl',
  'net.ipv4.icmp_errors_use_inbound_ifaddr',
  'net.netfilter.nf_conntrack_tcp_loose',
  'net.bridge.bridge-nf-call-iptables',
  'net.bridge.bridge-nf-call-ip6tables',
  // Documentation/networking/ipvs-sysctl.rst
  ...[
    'am_droprate',
    'backup_only',
    'conntrack',
    'drop_packet',
    'expire_quiescent_template',
    'nat_icmp_send',
    'sloppy_tcp',
    'snat_reroute',
  ].map((name) => `net.ipv4.vs.${name}`),
]

const IPV4_FORWARDING = 'net.ipv4.conf.all.forwarding'

/** Settings of `conf/all` that the kernel copies to every device when they are written. */
const copied = new Set([
  IPV4_FORWARDING,
  'net.ipv6.conf.all.forwarding',
  'net.ipv6.conf.all.force_forwarding',
  'net.ipv6.conf.all.ignore_routes_with_linkdown',
])

export type Written =
  /** all the keys that get the value */
  | { readonly kind: 'keys'; readonly keys: readonly string[] }
  | { readonly kind: 'no-device'; readonly device: string }
  /** `conf/default` reaches those devices that nobody set by hand: which those are no dump tells */
  | { readonly kind: 'default' }
  /** nothing that packets depend on here; `known` are settings of such a name that they do */
  | { readonly kind: 'unread'; readonly known: readonly string[] }

/** Which keys change when `key` is written, on a host with these devices. */
export function written(key: string, devices: readonly string[]): Written {
  if (key === 'net.ipv4.ip_forward') return written(IPV4_FORWARDING, devices)
  const [, version, device = '', name = ''] = /^net\.ipv([46])\.conf\.([^.]+)\.(\w+)$/.exec(key) ?? []
  if (version === undefined) return global.includes(key) ? { kind: 'keys', keys: [key] } : unread()
  const family: Family = version === '4' ? 4 : 6
  if (!perDevice[family].includes(name)) return unread()
  if (device === 'default') return { kind: 'default' }
  if (device !== 'all') return devices.includes(device.replaceAll('/', '.')) ? { kind: 'keys', keys: [key] } : { kind: 'no-device', device }
  const keys = copied.has(key) ? [key, ...['default', ...devices].map((d) => deviceKey(family, d, name))] : [key]
  return { kind: 'keys', keys: key === IPV4_FORWARDING ? ['net.ipv4.ip_forward', ...keys] : keys }
}

const unread = (): Written => ({
  kind: 'unread',
  known: [
    'net.ipv4.ip_forward',
    ...global,
    ...([4, 6] as const).flatMap((family) => perDevice[family].map((name) => deviceKey(family, 'all', name))),
  ],
})
