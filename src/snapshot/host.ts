import { parseBpfNet } from '../kernel/bpf/parse.ts'
import { openConntrack } from '../kernel/conntrack/dump.ts'
import type { ConntrackDump } from '../kernel/conntrack/types.ts'
import { parseIpsetSave } from '../kernel/ipset/parse.ts'
import type { IpsetDump } from '../kernel/ipset/types.ts'
import { lineAt } from '../kernel/json-error.ts'
import { parseLinks } from '../kernel/link/parse.ts'
import type { Link } from '../kernel/link/types.ts'
import { parseFdb, parseIpFdb, parseNeighbours } from '../kernel/neigh/parse.ts'
import { defaultRules } from '../kernel/route/default-rules.ts'
import { localTable } from '../kernel/route/local.ts'
import { parseNexthops, resolveNexthops } from '../kernel/route/nexthop.ts'
import { parseRoutes } from '../kernel/route/parse.ts'
import { parseRules } from '../kernel/route/parse-rules.ts'
import type { Route, RoutingRule } from '../kernel/route/types.ts'
import { parseSockets } from '../kernel/socket/parse.ts'
import { ParseError } from '../kernel/source.ts'
import { parseSysctl } from '../kernel/sysctl/parse.ts'
import { parseWireguard } from '../kernel/wireguard/parse.ts'
import type { Family } from '../net/ip.ts'
import { type FirewallDumps, loadFirewall } from './firewall.ts'
import { loadIpvs } from './ipvs.ts'
import { parseRecent } from './recent.ts'
import { expectPlainText, expectShape, type Shape } from './shape.ts'
import type { Store } from './store.ts'
import type { Host } from './types.ts'
import { parseVersions } from './versions.ts'

/** Finds, checks and parses one dump of a host; undefined if it was not recorded. */
export type Reader = <T>(name: string, command: string, fits: readonly Shape[], parse: (text: string, file: string) => T) => T | undefined

/** A reader of the dumps in one folder. */
export function readerOf(store: Store, dir: string): Reader {
  return (name, command, fits, parse) => {
    const file = store.find(`${dir}/${name}`)
    if (file === undefined) return undefined
    const text = store.text(file) as string
    expectShape(text, file, command, fits)
    if (!name.endsWith('.json')) expectPlainText(text, file)
    return parse(text, file)
  }
}

/**
 * Parses all dumps of one host, so that a damaged one is told even if the flow at hand would not touch it.
 * `note` takes what is not there and will be missed.
 */
export function loadHost(store: Store, kind: Host['kind'], name: string, dir: string, note: (what: string) => void): Host {
  const read = readerOf(store, dir)
  const versions = read('versions.txt', 'the version commands', ANY_TEXT, parseVersions)
  const links = loadLinks(store, read, dir)
  const sysctls = read('sysctl.txt', 'sysctl', ['sysctl'], parseSysctl)
  const routes = loadRoutes(store, read, dir, links, sysctls?.get('net.ipv6.conf.all.forwarding')?.value === '1')
  const rules = loadRules(read)
  const firewall = loadFirewall(read, kind, dir, versions, note)
  return {
    id: `${kind}/${name}`,
    kind,
    name,
    dir,
    links,
    routes,
    rules: {
      4: rules[4] ?? defaultRules(4, { file: `${dir}/ip-rule.json`, line: 0 }),
      6: rules[6] ?? defaultRules(6, { file: `${dir}/ip6-rule.json`, line: 0 }),
    },
    rulesAssumed: { 4: rules[4] === undefined, 6: rules[6] === undefined },
    neighbours: read('ip-neigh.json', 'ip -j neigh', ['neigh', 'list'], parseNeighbours),
    fdb:
      read('bridge-fdb.json', 'bridge -j fdb show', ['fdb', 'list'], parseFdb) ??
      read('ip-fdb.json', 'ip -j -f bridge neigh', ['fdb', 'list'], parseIpFdb),
    wireguard: read('wg-show.txt', 'wg show', ['wireguard', 'empty'], parseWireguard),
    sysctls,
    iptables: firewall.iptables,
    ipsets: loadIpsets(store, read, firewall),
    conntrack: read('conntrack.txt', 'conntrack -L', ['conntrack', 'empty'], conntrackOf),
    listeners: read('sockets.txt', 'ss -Hlntu', ['sockets', 'empty'], parseSockets),
    nft: firewall.nft,
    programs: read('bpftool-net.json', 'bpftool -j net', ['json', 'list'], parseBpfNet),
    ipvs: loadIpvs(read, sysctls, links),
    recent: read('xt_recent.txt', 'head /proc/net/xt_recent/*', ANY_TEXT, parseRecent),
    versions,
  }
}

/** A busy node has 100,000 connections, which few traces ask for: only a table of moderate size is checked at once. */
function conntrackOf(text: string, file: string): ConntrackDump {
  if (text !== '' && !text.endsWith('\n'))
    throw new ParseError(file, lineAt(text, text.length), 'the last line has no newline: the dump was cut off')
  const dump = openConntrack(text, file)
  if (text.length <= 2 ** 20) void dump.entries
  return dump
}

const ANY_TEXT: readonly Shape[] = ['unknown', 'empty', 'iptables']

function loadLinks(store: Store, read: Reader, dir: string): readonly Link[] | undefined {
  const detail = read('ip-link.json', 'ip -d -j link', ['link'], (text, file) => ({ text, file }))
  const links = read('ip-addr.json', 'ip -j addr', ['addr'], (text, file) => parseLinks(text, file, detail?.text, detail?.file))
  if (links && links.length === 0)
    throw new ParseError(store.find(`${dir}/ip-addr.json`) as string, 1, 'no devices: every namespace has lo; take it again')
  return links
}

/**
 * ip-route.json holds both families, and ip6-route.json repeats the IPv6 part where it exists (captures/README.md): each entry is taken once.
 */
function loadRoutes(
  store: Store,
  read: Reader,
  dir: string,
  links: readonly Link[] | undefined,
  forwarding6: boolean,
): Readonly<Record<Family, readonly Route[] | undefined>> {
  const fits: readonly Shape[] = ['route', 'list']
  const objects = read('ip-nexthop.json', 'ip -j nexthop', ['json', 'list'], parseNexthops)
  const parse = (text: string, file: string, family: Family) => {
    const routes = parseRoutes(text, file, family)
    return objects ? resolveNexthops(routes, objects) : routes
  }
  const six = read('ip6-route.json', 'ip -6 -j route show table all', fits, (text, file) => parse(text, file, 6))
  const both = read('ip-route.json', 'ip -j route show table all', fits, (text, file) => ({
    4: parse(text, file, 4),
    6: six ?? parse(text, file, 6),
  }))
  const has = (family: Family) => links?.some((l) => l.addresses.some((a) => a.ip.family === family)) ?? true
  // a table without a single route of a family that has addresses is the dump of the other family
  if (both && both[4].length === 0 && both[6].length > 0 && has(4)) {
    throw new ParseError(
      store.find(`${dir}/ip-route.json`) as string,
      1,
      'no IPv4 routes, though there are IPv4 addresses: this looks like the output of ip -6 -j route show table all',
    )
  }
  const usable = (family: Family, list: readonly Route[] | undefined) =>
    list === undefined || (list.length === 0 && has(family)) ? undefined : withLocal(list, family, links, forwarding6)
  return { 4: usable(4, both?.[4]), 6: usable(6, six ?? both?.[6]) }
}

/** The kernel keeps a table `local` that some dumps leave out; it follows from the addresses. */
function withLocal(routes: readonly Route[], family: Family, links: readonly Link[] | undefined, forwarding6: boolean): readonly Route[] {
  if (links === undefined || routes.some((r) => r.table === 'local')) return routes
  return [...routes, ...localTable(links, forwarding6).filter((r) => r.family === family)]
}

function loadRules(read: Reader): Readonly<Record<Family, readonly RoutingRule[] | undefined>> {
  const fits: readonly Shape[] = ['rule', 'list']
  return {
    4: read('ip-rule.json', 'ip -j rule', fits, (text, file) => parseRules(text, file, 4)),
    6: read('ip6-rule.json', 'ip -6 -j rule', fits, (text, file) => parseRules(text, file, 6)),
  }
}

function loadIpsets(store: Store, read: Reader, firewall: FirewallDumps): IpsetDump | undefined {
  return read('ipset-save.txt', 'ipset save', ['ipset', 'empty'], (text, file) => {
    if (text.trim() === '') {
      const user = firewall.files.find((f) => /--match-set |-j SET /.test(store.text(f) ?? ''))
      if (user !== undefined)
        throw new ParseError(
          file,
          1,
          `empty, though rules in ${user} use sets; take it again or delete the file to have it treated as not recorded`,
        )
    }
    return parseIpsetSave(text, file)
  })
}
