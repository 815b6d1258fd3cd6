/**
 * One case of the comparison with the kernel: a little ruleset, and flows with what they come to. Texts name addresses as `$p1`, `$svc`
 * (netns-lab.ts) and are run once for each family.
 */
import { headerBytes } from '../../src/net/packet.ts'
import type { Supposed } from '../../src/snapshot/what-if/apply.ts'
import type { Flow } from '../../src/trace/types.ts'
import { addresses, type HostName, pods } from './netns-lab.ts'

export interface Case {
  readonly name: string
  /** default both */
  readonly families?: readonly (4 | 6)[]
  /** shell lines run inside a namespace, before the rules: addresses, routes, sysctls, sets */
  readonly sh?: Partial<Record<HostName, string>>
  /** `TABLE -A CHAIN …`, `TABLE -P CHAIN POLICY`, `TABLE -N CHAIN`, one a line */
  readonly rules?: Partial<Record<HostName, string>>
  /** rulesets for `nft -f`, loaded before `rules`; IPv4's words are turned into IPv6's (`ip saddr`, `ipv4_addr`) */
  readonly nft?: Partial<Record<HostName, string>>
  /** what happens once the dump is taken (shell lines), and the same as a supposition */
  readonly later?: Partial<Record<HostName, string>>
  readonly suppose?: Partial<Omit<Supposed, 'replace'>>
  /** pods whose own dumps are left out of the snapshot */
  readonly undumped?: readonly (keyof typeof pods)[]
  /** rules of the other backend, beside `rules` */
  readonly otherBackend?: Partial<Record<HostName, string>>
  /**
   * `FROM[@SOURCE] PROTO [size BYTES] DST[:PORT] = OUTCOME`, one a line; with a size it is a packet of so many bytes with DF. OUTCOME: `HOST ADDRESS:PORT < SEENSOURCE` (delivered), `ok` (delivered,
   * whatever the server sees), `rst`, `icmp T/C A`, `errno NAME`, `dropped`; `undecided` is our answer only.
   * Several with ` | ` are chosen at random: `xN` after the protocol says how often to try.
   */
  readonly flows: string
}

/** names of ICMP errors differ: as rules write them, and by type/code as flows do */
const icmp6: readonly (readonly [RegExp, string])[] = [
  [/icmp-net-unreachable/g, 'icmp6-no-route'],
  [/icmp-host-unreachable/g, 'icmp6-addr-unreachable'],
  [/icmp-port-unreachable/g, 'icmp6-port-unreachable'],
  [/icmp-admin-prohibited/g, 'icmp6-adm-prohibited'],
  [/\bicmp 3\/0 /g, 'icmp 1/0 '],
  [/\bicmp 3\/4 /g, 'icmp 2/0 '],
  [/\bicmp 3\/13 /g, 'icmp 1/1 '],
  [/\bicmp 3\/1 /g, 'icmp 1/3 '],
  [/\bicmp 3\/3 /g, 'icmp 1/4 '],
  [/\bicmp 11\/0 /g, 'icmp 3/0 '],
  [/-p icmp\b/g, '-p ipv6-icmp'],
  [/-m icmp --icmp-type/g, '-m icmp6 --icmpv6-type'],
  [/\bip route\b/g, 'ip -6 route'],
  [/\bip rule\b/g, 'ip -6 rule'],
  [/family inet\b/g, 'family inet6'],
]

/** A text of a case for one family. Ports stick to addresses: `$p1:80` is `[fd44:1::2]:80`. */
export function forFamily(text: string, family: 4 | 6): string {
  const named = text
    .replace(/\$([a-z]\w+)(?=(:\d)?)/g, (whole, name: string, port: string | undefined) => {
      const pair = addresses[name]
      if (!pair) throw new Error(`no address is called ${whole}`)
      return family === 4 ? pair[0] : port === undefined ? pair[1] : `[${pair[1]}]`
    })
    .replace(/\{([^{}|\n]*)\|([^{}|\n]*)\}/g, (_, four: string, six: string) => (family === 4 ? four : six))
  return family === 4 ? named : icmp6.reduce((t, [from, to]) => t.replace(from, to), named)
}

/** words of nft that differ between the families */
const nft6: readonly (readonly [RegExp, string])[] = [
  [/\btable ip (?=\w)/g, 'table ip6 '],
  [/\bip (?=saddr|daddr|dscp|ecn|version|length)/g, 'ip6 '],
  [/\bip protocol\b/g, 'ip6 nexthdr'],
  [/\bip ttl\b/g, 'ip6 hoplimit'],
  [/\bipv4_addr\b/g, 'ipv6_addr'],
  [/\b(dnat|snat|original|reply) ip\b/g, '$1 ip6'],
  [/\bicmp type host-unreachable\b/g, 'icmpv6 type addr-unreachable'],
  [/\bicmp type\b/g, 'icmpv6 type'],
]

/** A ruleset for nft of one family. */
export function nftText(text: string, family: 4 | 6): string {
  const words = family === 4 ? text : nft6.reduce((t, [from, to]) => t.replace(from, to), text)
  return forFamily(words, family)
}

/** The input of iptables-restore. */
export function restoreText(rules: string): string {
  const tables = new Map<string, string[]>()
  for (const line of rules
    .split('\n')
    .map((l) => l.trim())
    .filter((l) => l !== '' && !l.startsWith('#'))) {
    const space = line.indexOf(' ')
    const table = line.slice(0, space)
    const rest = line.slice(space + 1)
    let lines = tables.get(table)
    if (!lines) tables.set(table, (lines = []))
    const policy = /^-P (\S+) (\S+)$/.exec(rest)
    const chain = /^-N (\S+)$/.exec(rest)
    if (policy) lines.unshift(`:${policy[1]} ${policy[2]} [0:0]`)
    else if (chain) lines.unshift(`:${chain[1]} - [0:0]`)
    else lines.push(rest)
  }
  return [...tables].map(([table, lines]) => `*${table}\n${lines.join('\n')}\nCOMMIT\n`).join('')
}

export interface FlowLine {
  readonly text: string
  readonly from: HostName
  readonly source?: string
  readonly proto: 'tcp' | 'udp' | 'icmp'
  readonly times: number
  /** of the whole packet */
  readonly size?: number
  readonly dst: string
  readonly port?: number
  readonly expected: readonly string[]
}

export function parseFlows(text: string): FlowLine[] {
  return text
    .split('\n')
    .map((l) => l.trim())
    .filter((l) => l !== '' && !l.startsWith('#'))
    .map((line) => {
      const m = /^(\w+)(?:@(\S+))? (tcp|udp|icmp)(?: x(\d+))?(?: size (\d+))? (\S+) = (.+)$/.exec(line)
      if (!m) throw new Error(`not a flow: ${line}`)
      const [, from, source, proto, times, size, target, expected] = m as unknown as [
        string,
        HostName,
        string | undefined,
        FlowLine['proto'],
        string | undefined,
        string | undefined,
        string,
        string,
      ]
      const at = proto === 'icmp' ? undefined : /^\[?(.+?)\]?:(\d+)$/.exec(target)
      if (proto !== 'icmp' && !at) throw new Error(`no port: ${line}`)
      return {
        text: line,
        from,
        proto,
        times: Number(times ?? 1),
        dst: at?.[1] ?? target,
        expected: expected.split(' | ').map((e) => e.trim()),
        ...(at && { port: Number(at[2]) }),
        ...(source !== undefined && { source }),
        ...(size !== undefined && { size: Number(size) }),
      }
    })
}

/** Bytes of data that make a packet of that size. */
export const payloadOf = (f: Pick<FlowLine, 'proto' | 'dst' | 'size'>): { readonly payload?: number } =>
  f.size === undefined ? {} : { payload: f.size - headerBytes(f.dst.includes(':') ? 6 : 4, f.proto) }

export function flowOf(f: FlowLine): Flow {
  const kind = f.from in pods ? 'pod' : f.from === 'ext' ? 'external' : 'node'
  return {
    from: { kind, name: kind === 'pod' ? `t/${f.from}` : f.from },
    proto: f.proto,
    dst: f.dst,
    ...(f.port !== undefined && { port: f.port }),
    ...(f.source !== undefined && { source: f.source }),
    ...payloadOf(f),
  }
}
