import { symbol } from './symbols.ts'

/** One line of `nft monitor trace`: what the kernel says of a packet that carries the mark `nftrace`. Tables by family and name, `ip filter`. */
export type TraceEvent = {
  /** the same for all that one packet meets in one namespace; the kernel comes back to it for later packets */
  readonly id: string
  readonly table: string
  readonly chain: string
} /** without headers if nft could not read them: it goes by an old Ethernet header, which may be of the packet inside a tunnel */ & (
  | { readonly kind: 'packet'; readonly headers?: TraceHeaders; readonly iif?: string; readonly oif?: string }
  /** a rule that ran to its end; `text` is empty if nft did not know it, since it was made after nft had read the rules */
  | { readonly kind: 'rule'; readonly text: string; readonly handle?: number; readonly verdict: string }
  | { readonly kind: 'policy'; readonly verdict: string }
)

/** Headers as the first event of a base chain has them. */
export interface TraceHeaders {
  /** `tcp`, `icmpv6`; `ip protocol` or `ip6 nexthdr` of any other, as nft calls it */
  readonly proto: string
  readonly src: string
  readonly dst: string
  readonly sport?: number
  readonly dport?: number
  /** the flags that are set: `syn`, `syn,ack` */
  readonly tcp?: string
  readonly icmp?: { readonly type: number; readonly code: number; readonly id?: number }
}

/** Lines that are no events of packets are passed over: nft's complaints, and what later versions may say. */
export function parseTraceEvents(text: string): readonly TraceEvent[] {
  return text.split('\n').flatMap((line) => parseLine(line) ?? [])
}

function parseLine(line: string): TraceEvent | undefined {
  const [, id, table, chain, rest] = /^trace id ([0-9a-f]{1,16}) (\S+ \S+) (\S+) (.*)$/.exec(line) ?? []
  if (id === undefined || table === undefined || chain === undefined || rest === undefined) return undefined
  const where = { id, table, chain }
  if (rest.startsWith('packet: ')) {
    const headers = headersOf(rest)
    const iif = device(rest, 'iif')
    const oif = device(rest, 'oif')
    return { ...where, kind: 'packet', ...(headers && { headers }), ...(iif !== undefined && { iif }), ...(oif !== undefined && { oif }) }
  }
  const [, verdict] = /^policy (\S+) *$/.exec(rest) ?? []
  if (verdict !== undefined) return { ...where, kind: 'policy', verdict }
  const [, unknown, verdictOfUnknown] = /^unknown rule handle (\d+) \(verdict ([^()]*)\) *$/.exec(rest) ?? []
  if (verdictOfUnknown !== undefined) return { ...where, kind: 'rule', text: '', handle: Number(unknown), verdict: verdictOfUnknown }
  const [, rule, handle, verdictOfRule] = /^rule (.*?)(?: # handle (\d+))? \(verdict ([^()]*)\) *$/.exec(rest) ?? []
  if (rule === undefined || verdictOfRule === undefined) return undefined
  return { ...where, kind: 'rule', text: rule.trim(), ...(handle !== undefined && { handle: Number(handle) }), verdict: verdictOfRule }
}

const device = (text: string, key: 'iif' | 'oif'): string | undefined => new RegExp(` ${key} "([^"]*)"`).exec(text)?.[1]

function headersOf(text: string): TraceHeaders | undefined {
  const [, src] = / ip6? saddr (\S+)/.exec(text) ?? []
  const [, dst] = / ip6? daddr (\S+)/.exec(text) ?? []
  if (src === undefined || dst === undefined) return undefined
  const [, icmp, type = '', code = ''] = / (icmp|icmpv6) type (\S+) (?:icmp|icmpv6) code (\S+)/.exec(text) ?? []
  if (icmp !== undefined) {
    // nft 1.0 has its own word for the second half of an ICMPv6 header, whatever the type
    const [, id, half] = / icmp(?:v6)? (?:id (\d+)|parameter-problem (\d+))/.exec(text) ?? []
    const typeNumber = symbol(`${icmp}_type`, type) ?? Number(type)
    const echo = icmp === 'icmp' ? [0, 8] : [128, 129]
    return {
      proto: icmp,
      src,
      dst,
      icmp: {
        type: typeNumber,
        code: symbol(`${icmp}_code`, code) ?? Number(code),
        ...((id ?? half) !== undefined && echo.includes(typeNumber) && { id: id === undefined ? Number(half) >>> 16 : Number(id) }),
      },
    }
  }
  const [, proto, sport] = / (tcp|udp|udplite|sctp|dccp) sport (\d+)/.exec(text) ?? []
  const [, dport] = / (?:tcp|udp|udplite|sctp|dccp) dport (\d+)/.exec(text) ?? []
  const [, other = ''] = / ip6? (?:protocol|nexthdr) (\S+)/.exec(text) ?? []
  const tcp = flagsOf(text)
  return {
    proto: proto ?? other,
    src,
    dst,
    ...(sport !== undefined && { sport: Number(sport) }),
    ...(dport !== undefined && { dport: Number(dport) }),
    ...(tcp !== undefined && { tcp }),
  }
}

const FLAGS = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ecn', 'cwr']

/** `tcp flags == syn`, `== 0x12`, `== (syn | ack)`: how several are printed differs by version. */
function flagsOf(text: string): string | undefined {
  const [, said] = / tcp flags (?:== )?(0x[0-9a-f]+|\([^)]*\)|[a-z]+(?:(?:,| \| )[a-z]+)*)/.exec(text) ?? []
  if (said === undefined) return undefined
  const bits = Number(said)
  return FLAGS.filter((flag, i) => (Number.isNaN(bits) ? new RegExp(`\\b${flag}\\b`).test(said) : (bits >> i) & 1)).join(',')
}
