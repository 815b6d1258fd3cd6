import type { IpScope } from '../../net/ip.ts'
import {
  child,
  children,
  fail,
  has,
  type JsonEntry,
  member,
  optionalInteger,
  optionalIp,
  optionalText,
  parseEntries,
  quote,
  requiredInteger,
  requiredText,
  texts,
} from '../json.ts'
import type { Bridge, BridgePort, Ipip, Link, LinkAddress, Vxlan } from './types.ts'

/**
 * Parses `ip -j addr`, joined by interface index with `ip -d -j link` where that was dumped: the first has the addresses,
 * the second the kinds of devices and their tunnel parameters. Devices stay in the order of the dump, which is the kernel's.
 */
export function parseLinks(addrText: string, addrFile: string, linkText?: string, linkFile?: string): Link[] {
  const details = new Map<number, JsonEntry>()
  if (linkText !== undefined && linkFile !== undefined)
    for (const e of devices(linkText, linkFile, 'ip -d -j link')) details.set(requiredInteger(e, 'ifindex'), e)
  return devices(addrText, addrFile, 'ip -j addr').map((e) => {
    // without the list of addresses it is another command's dump (ip -j link), and every device would look bare
    if (!has(e, 'addr_info')) fail(e, 'a device must have `addr_info`; expected what `ip -j addr` prints, is this `ip -j link`?')
    return parseLink(e, details.get(requiredInteger(e, 'ifindex')))
  })
}

/** `ip` leaves an empty object for each device that a filter hid. */
function devices(text: string, file: string, command: string): JsonEntry[] {
  return parseEntries(text, file, 'a device', command).filter((e) => Object.keys(e.fields).length > 0)
}

function parseLink(e: JsonEntry, detail: JsonEntry | undefined): Link {
  const index = requiredInteger(e, 'ifindex')
  const flags = texts(e, 'flags')
  const info = detail && child(detail, 'linkinfo', "a device's `linkinfo`")
  const data = info && child(info, 'info_data', "a device's `info_data`")
  const kind = (info && optionalText(info, 'info_kind')) ?? plainKind(e, flags)
  const peerIndex = optionalInteger(e, 'link_index') ?? optionalInteger(detail ?? e, 'link_index')
  const peerNetnsId = optionalInteger(e, 'link_netnsid', 0x7fffffff, -1)
  const mac = optionalText(e, 'address')
  const master = optionalText(e, 'master')
  const lower = lowerName(e)
  const group = optionalText(e, 'group')
  const promiscuity = detail && optionalInteger(detail, 'promiscuity')
  return {
    source: e.source,
    index,
    name: requiredText(e, 'ifname'),
    ...(peerIndex === undefined ? {} : { peerIndex }),
    ...(peerNetnsId === undefined ? {} : { peerNetnsId }),
    ...(lower === undefined ? {} : { lower }),
    kind,
    up: flags.includes('UP'),
    running: flags.includes('LOWER_UP'),
    flags,
    mtu: requiredInteger(e, 'mtu'),
    ...(mac !== undefined && /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(mac) ? { mac: mac.toLowerCase() } : {}),
    ...(master === undefined ? {} : { master }),
    ...(group === undefined ? {} : { group }),
    ...(kind === 'bridge' && data ? { bridge: parseBridge(data) } : {}),
    ...portOf(info),
    ...(promiscuity === undefined ? {} : { promiscuity }),
    ...(kind === 'vxlan' && data ? { vxlan: parseVxlan(data) } : {}),
    ...(kind === 'ipip' && data ? { ipip: parseIpip(data) } : {}),
    ...xdpOf(detail && has(detail, 'xdp') ? detail : e),
    addresses: children(e, 'addr_info', 'an address')
      .filter((a) => Object.keys(a.fields).length > 0)
      .map(parseAddress),
  }
}

/** Switches are 0 or 1 in the dump. A VLAN may keep two ports apart, and `bridge vlan` is not dumped. */
function parseBridge(e: JsonEntry): Bridge {
  const on = (key: string) => ![undefined, 0, false].includes(member(e, key) as number)
  return {
    nfCall: { 4: on('nf_call_iptables'), 6: on('nf_call_ip6tables') },
    unmodelled: on('vlan_filtering') ? ['vlan_filtering'] : [],
  }
}

/** What changes who gets a frame and is not modelled, with what a bridge gives its ports to begin with (br_add_if, BR_AUTO_MASK). */
const USUAL: readonly (readonly [key: string, value: boolean])[] = [
  ['learning', true],
  ['flood', true],
  ['mcast_flood', true],
  ['bcast_flood', true],
  ['proxy_arp', false],
  ['proxy_arp_wifi', false],
  ['neigh_suppress', false],
  ['neigh_vlan_suppress', false],
  ['vlan_tunnel', false],
  ['locked', false],
]

function portOf(info: JsonEntry | undefined): { readonly port?: BridgePort } {
  if (!info || optionalText(info, 'info_slave_kind') !== 'bridge') return {}
  const e = child(info, 'info_slave_data', "a bridge port's `info_slave_data`")
  const state = e && optionalText(e, 'state')
  const port: BridgePort = {
    ...(state === undefined ? {} : { state }),
    hairpin: e !== undefined && member(e, 'hairpin') === true,
    isolated: e !== undefined && member(e, 'isolated') === true,
    unmodelled: [
      ...USUAL.flatMap(([key, usual]) => (e && member(e, key) === !usual ? [key] : [])),
      ...(e && has(e, 'backup_port') ? ['backup_port'] : []),
    ],
  }
  return { port }
}

/** Both commands print the program: `"xdp": {"mode": 1, "prog": {"id": 97, "name": "xdp_pass", …}, …}`; mode 0 is none attached. */
function xdpOf(e: JsonEntry): { readonly xdp?: string } {
  const xdp = child(e, 'xdp', "a device's `xdp`")
  if (!xdp || optionalInteger(xdp, 'mode') === 0) return {}
  const program = child(xdp, 'prog', "a device's XDP program")
  return { xdp: (program && optionalText(program, 'name')) ?? '?' }
}

/** `link` is the lower device's name, or null for a tunnel without one. */
function lowerName(e: JsonEntry): string | undefined {
  return member(e, 'link') === null ? undefined : optionalText(e, 'link')
}

/** What `ip -j addr` alone tells of a device's kind: its link type. */
function plainKind(e: JsonEntry, flags: readonly string[]): string {
  if (flags.includes('LOOPBACK')) return 'loopback'
  return optionalText(e, 'link_type') ?? 'ether'
}

/** An end of a tunnel: `any` where it is open. */
const tunnelIp = (e: JsonEntry, key: string) => (member(e, key) === 'any' ? undefined : optionalIp(e, key))

const DF = ['unset', 'set', 'inherit'] as const

function parseVxlan(e: JsonEntry): Vxlan {
  const local = tunnelIp(e, 'local') ?? tunnelIp(e, 'local6')
  const remote = tunnelIp(e, 'remote') ?? tunnelIp(e, 'remote6') ?? tunnelIp(e, 'group') ?? tunnelIp(e, 'group6')
  const lower = optionalText(e, 'link')
  return {
    id: requiredInteger(e, 'id', 0xffffff),
    port: optionalInteger(e, 'port', 65535) ?? 4789,
    ...(local ? { local } : {}),
    ...(remote ? { remote } : {}),
    ...(lower === undefined ? {} : { lower }),
    learning: member(e, 'learning') !== false,
    external: member(e, 'external') === true,
    // `ttl inherit` is left out of the JSON, while the default is printed as 0
    ttl: optionalInteger(e, 'ttl', 255) ?? 'inherit',
    df: DF.find((d) => d === member(e, 'df')) ?? 'unset',
  }
}

function parseIpip(e: JsonEntry): Ipip {
  const local = tunnelIp(e, 'local')
  const remote = tunnelIp(e, 'remote')
  const lower = optionalText(e, 'link')
  const encap = child(e, 'encap', "an ipip device's `encap`")
  const wrapped = encap && optionalText(encap, 'type')
  const proto = optionalText(e, 'proto')
  return {
    ...(local ? { local } : {}),
    ...(remote ? { remote } : {}),
    ...(lower === undefined ? {} : { lower }),
    ttl: optionalInteger(e, 'ttl', 255) ?? 0,
    pmtudisc: member(e, 'pmtudisc') === true,
    fwmark: optionalInteger(e, 'fwmark') ?? 0,
    unmodelled: [
      ...(member(e, 'external') === true ? ['external'] : []),
      ...(wrapped === undefined || wrapped === 'none' ? [] : [`encap ${wrapped}`]),
      ...(proto === undefined || proto === 'any' || proto === 'ipip' ? [] : [`mode ${proto}`]),
    ],
  }
}

const SCOPES: readonly IpScope[] = ['global', 'link', 'host']

function parseAddress(e: JsonEntry): LinkAddress {
  const ip = optionalIp(e, 'local') ?? optionalIp(e, 'address') ?? fail(e, 'an address must have `local`')
  // with a peer, `local` is the own address and `address` the other end
  const peer = has(e, 'local') ? optionalIp(e, 'address') : undefined
  const family = optionalText(e, 'family')
  if (family !== undefined && family !== (ip.family === 4 ? 'inet' : 'inet6'))
    fail(e, `the address ${ip.text} is not of family ${quote(family)}`)
  const scope = optionalText(e, 'scope') ?? 'global'
  const broadcast = optionalIp(e, 'broadcast')
  const lifetime = optionalInteger(e, 'preferred_life_time')
  return {
    ip,
    prefixLength: requiredInteger(e, 'prefixlen', ip.family === 4 ? 32 : 128),
    // `site` is deprecated (RFC 3879), and numbered scopes are nobody's: as wide as global for who may use them
    scope: SCOPES.find((s) => s === scope) ?? 'global',
    ...(peer ? { peer } : {}),
    ...(broadcast ? { broadcast } : {}),
    secondary: set(e, 'secondary'),
    deprecated: set(e, 'deprecated') || lifetime === 0,
    tentative: set(e, 'tentative') || set(e, 'dadfailed'),
    temporary: set(e, 'temporary'),
    optimistic: set(e, 'optimistic'),
    noPrefixRoute: set(e, 'noprefixroute'),
  }
}

const set = (e: JsonEntry, flag: string): boolean => member(e, flag) === true
