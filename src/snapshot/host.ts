import { parseBpfNet } from '../kernel/bpf/parse.ts'
import { openConntrack } from '../kernel/conntrack/dump.ts'
import type { ConntrackDump } from '../kernel/conntrack/types.ts'
import { parseIpsetSave } from '../kernel/ipset/parse.ts'
import type { IpsetDump } from '../kernel/ipset/types.ts'
import { lineAt } from '../kernel/json-error.ts'
import { parseLinks } from '../kernel/link/parse.ts'
import type { Link } from '../kernel/link/types.ts'
import { parseFdb, parseIpFdb, parseNeighbours } from '../kernel/neigh/parse.ts'
import { parseClock } from '../kernel/recent/clock.ts'
import { parseRecent } from '../kernel/recent/parse.ts'
import { defaultRules } from '../kernel/route/default-rules.ts'
import { localTable } from '../kernel/route/local.ts'
import { parseNexthops, resolveNexthops } from '../kernel/route/nexthop.ts'
import { parseRoutes } from '../kernel/route/parse.ts'
import { parseRules } from '../kernel/route/parse-rules.ts'
import type { Route } from '../kernel/route/types.ts'
import { parseSockets } from '../kernel/socket/parse.ts'
import { ParseError } from '../kernel/source.ts'
import { parseSysctl } from '../kernel/sysctl/parse.ts'
import { parseWireguard } from '../kernel/wireguard/parse.ts'
import { lazy, once } from '../lazy.ts'
import type { Family } from '../net/ip.ts'
import { IPTABLES_FILES, openFirewall } from './firewall.ts'
import { loadIpvs } from './ipvs.ts'
import { expectPlainText, expectShape, type Shape } from './shape.ts'
import type { Texts } from './store.ts'
import type { Host } from './types.ts'
import { parseVersions } from './versions.ts'

/** Finds, checks and parses one dump of a host; undefined if it was not recorded. */
export type Reader = <T>(name: string, command: string, fits: readonly Shape[], parse: (text: string, file: string) => T) => T | undefined

/** A reader of the dumps in one folder. */
export function readerOf(store: Texts, dir: string): Reader {
  return (name, command, fits, parse) => {
    const file = store.find(`${dir}/${name}`)
    if (file === undefined) return undefined
    const text = store.text(file) as string
    expectShape(text, file, command, fits)
    if (!name.endsWith('.json')) expectPlainText(text, file)
    return parse(text, file)
  }
}

/** One host, each of its dumps read and parsed when it is first asked for: that throws ParseError if the dump is damaged. */
export function openHost(store: Texts, kind: Host['kind'], name: string, dir: string): Host {
  const read = readerOf(store, dir)
  const rules = once(() => loadRules(read, dir))
  const firewall = openFirewall(read, kind, () => host.versions)
  const host: Host = lazy(
    { id: `${kind}/${name}`, kind, name, dir, iptables: firewall.iptables },
    {
      links: () => loadLinks(store, read, dir),
      routes: () => loadRoutes(store, read, host),
      rules: () => rules().rules,
      rulesAssumed: () => rules().rulesAssumed,
      neighbours: () => read('ip-neigh.json', 'ip -j neigh', ['neigh', 'list'], parseNeighbours),
      fdb: () =>
        read('bridge-fdb.json', 'bridge -j fdb show', ['fdb', 'list'], parseFdb) ??
        read('ip-fdb.json', 'ip -j -f bridge neigh', ['fdb', 'list'], parseIpFdb),
      wireguard: () => read('wg-show.txt', 'wg show', ['wireguard', 'empty'], parseWireguard),
      sysctls: () => read('sysctl.txt', 'sysctl', ['sysctl'], parseSysctl),
      ipsets: () => loadIpsets(store, read, dir),
      conntrack: () => read('conntrack.txt', 'conntrack -L', ['conntrack', 'empty'], conntrackOf),
      listeners: () => read('sockets.txt', 'ss -Hlntu', ['sockets', 'empty'], parseSockets),
      nft: firewall.nft,
      programs: () => read('bpftool-net.json', 'bpftool -j net', ['json', 'list'], parseBpfNet),
      ipvs: () => loadIpvs(read, host),
      recent: () => read('xt_recent.txt', 'head /proc/net/xt_recent/*', ANY_TEXT, parseRecent),
      clock: () => read('jiffies.txt', 'cat /proc/timer_list', ANY_TEXT, parseClock),
      versions: () => read('versions.txt', 'the version commands', ANY_TEXT, parseVersions),
    },
  )
  return host
}

/** Reads all dumps of a host, whether or not anybody asks for them: a damaged one is told. */
export function readWhole(host: Host): void {
  for (const key in host) void host[key as keyof Host]
  void [host.iptables[4], host.iptables[6]]
}

/** What is not there of a host and will be missed, told by what files there are. */
export function missingOf(store: Texts, host: Host): readonly string[] {
  const { kind, dir } = host
  if (kind !== 'node' || store.has(`${dir}/nft.txt`) || store.has(`${dir}/nft.json`) || host.versions?.iptablesBackend !== 'nft') return []
  return [`${dir}: no nft.txt or nft.json, so tables of nft beside iptables are not known`]
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

function loadLinks(store: Texts, read: Reader, dir: string): readonly Link[] | undefined {
  const detail = read('ip-link.json', 'ip -d -j link', ['link'], (text, file) => ({ text, file }))
  const links = read('ip-addr.json', 'ip -j addr', ['addr'], (text, file) => parseLinks(text, file, detail?.text, detail?.file))
  if (links && links.length === 0)
    throw new ParseError(store.find(`${dir}/ip-addr.json`) as string, 1, 'no devices: every namespace has lo; take it again')
  return links
}

/** ip-route.json holds both families, and ip6-route.json repeats the IPv6 part where it exists: each entry is taken once. */
function loadRoutes(store: Texts, read: Reader, host: Host): Host['routes'] {
  const { dir, links } = host
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
    list === undefined || (list.length === 0 && has(family)) ? undefined : withLocal(list, family, host)
  return { 4: usable(4, both?.[4]), 6: usable(6, six ?? both?.[6]) }
}

/** The kernel keeps a table `local` that some dumps leave out; it follows from the addresses. */
function withLocal(routes: readonly Route[], family: Family, host: Host): readonly Route[] {
  const { links } = host
  if (links === undefined || routes.some((r) => r.table === 'local')) return routes
  const forwarding6 = host.sysctls?.get('net.ipv6.conf.all.forwarding')?.value === '1'
  return [...routes, ...localTable(links, forwarding6).filter((r) => r.family === family)]
}

function loadRules(read: Reader, dir: string): Pick<Host, 'rules' | 'rulesAssumed'> {
  const fits: readonly Shape[] = ['rule', 'list']
  const four = read('ip-rule.json', 'ip -j rule', fits, (text, file) => parseRules(text, file, 4))
  const six = read('ip6-rule.json', 'ip -6 -j rule', fits, (text, file) => parseRules(text, file, 6))
  return {
    rules: {
      4: four ?? defaultRules(4, { file: `${dir}/ip-rule.json`, line: 0 }),
      6: six ?? defaultRules(6, { file: `${dir}/ip6-rule.json`, line: 0 }),
    },
    rulesAssumed: { 4: four === undefined, 6: six === undefined },
  }
}

function loadIpsets(store: Texts, read: Reader, dir: string): IpsetDump | undefined {
  return read('ipset-save.txt', 'ipset save', ['ipset', 'empty'], (text, file) => {
    if (text.trim() === '') {
      const files = IPTABLES_FILES.flatMap((name) => store.find(`${dir}/${name}`) ?? [])
      const user = files.find((f) => /--match-set |-j SET /.test(store.text(f) ?? ''))
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
