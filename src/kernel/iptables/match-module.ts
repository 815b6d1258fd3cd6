import { isMulticast } from '../../net/ip.ts'
import { protocolNumber } from '../../net/packet.ts'
import { parseNumber } from '../words.ts'
import { assume, type Doubt, unknown } from './doubt.ts'
import type { MatchEnv } from './env.ts'
import { isTracked } from './match-conntrack.ts'
import { matchIpvs } from './match-ipvs.ts'
import { lengthBounds } from './packet-length.ts'
import type { Match } from './types.ts'

type Module = Extract<Match, { kind: 'module' }>

/** The modules that are kept as words: what is known of their answer, else “not modelled”. */
export function matchModule(match: Module, env: MatchEnv, doubts: Doubt[]): boolean {
  return byName(match, env, doubts) ?? unknown(doubts, `not modelled: ${['-m', match.module, ...match.words].join(' ')}`)
}

function byName(match: Module, env: MatchEnv, doubts: Doubt[]): boolean | undefined {
  const { packet } = env
  switch (match.module) {
    case 'comment':
      return true
    case 'nfacct':
      // xt_nfacct.c: false only for an object with a quota that is not used up, which kube-proxy's don't have
      return true
    case 'limit':
      return assume(doubts, 'a single packet stays within -m limit', true)
    case 'hashlimit':
      return hashlimit(match, doubts)
    case 'connlimit':
      return connlimit(match, doubts)
    case 'quota':
      return quota(match, doubts)
    case 'length':
      return length(match, env)
    case 'ttl':
    case 'hl':
      return hopLimit(match, packet.ttl)
    case 'tos':
    case 'dscp':
      return trafficClass(match, env, doubts)
    case 'pkttype':
      return packetType(match, env)
    case 'ipvs':
      return matchIpvs(match.words, env, doubts)
    case 'helper':
      return helper(match, env)
    case 'mac':
      // xt_mac.c: false without an Ethernet header, as in OUTPUT, whether negated or not
      return env.hook === 'OUTPUT' ? false : undefined
    case 'cgroup':
      // xt_cgroup.c: “if (skb->sk == NULL || !sk_fullsock(skb->sk)) return false”
      return env.localSender ? undefined : false
    case 'frag':
    case 'rt':
    case 'hbh':
    case 'dst':
    case 'mh':
      // extension headers that no packet of the walk has: ipv6_find_hdr says -ENOENT, the match false, negated options or not
      return false
    case 'ah':
    case 'esp':
      return protocolNumber(packet.proto) === (match.module === 'ah' ? 51 : 50) ? undefined : false
    default:
      return undefined
  }
}

/** Words of a module with one option: `! --NAME VALUE`. Undefined if there is anything else. */
function single(words: readonly string[]): { not: boolean; name: string; value: string } | undefined {
  const not = words[0] === '!'
  const [name, value, more] = not ? words.slice(1) : words
  return name !== undefined && value !== undefined && more === undefined ? { not, name, value } : undefined
}

/** xt_hashlimit.c: --hashlimit-above is --hashlimit-upto negated (XT_HASHLIMIT_INVERT). The old name --hashlimit means upto. */
function hashlimit({ words }: Module, doubts: Doubt[]): boolean | undefined {
  const above = words.includes('--hashlimit-above')
  if (!above && !words.includes('--hashlimit-upto') && !words.includes('--hashlimit')) return undefined
  return assume(doubts, 'a single packet stays within -m hashlimit', !above)
}

/** xt_connlimit.c: `(connections > limit) ^ invert`, and the packet's own connection counts. */
function connlimit({ words }: Module, doubts: Doubt[]): boolean | undefined {
  const above = words.includes('--connlimit-above')
  const limit = Number(words[words.indexOf(above ? '--connlimit-above' : '--connlimit-upto') + 1])
  if (!Number.isInteger(limit)) return undefined
  if (limit === 0) return above
  return assume(doubts, 'a single connection stays within -m connlimit', !above)
}

/** xt_quota.c. The dump has the quota as it was given, not what is left of it. */
function quota({ words }: Module, doubts: Doubt[]): boolean | undefined {
  const option = single(words)
  if (option?.name !== '--quota') return undefined
  return option.value === '0' ? option.not : assume(doubts, 'the quota of -m quota is not used up', !option.not)
}

/** xt_length.c: the length of the whole IP packet. Known within bounds: see packet-length.ts. */
function length({ words }: Module, env: MatchEnv): boolean | undefined {
  const option = single(words)
  const range = option && /^(\d{1,5})(?::(\d{1,5})?)?$/.exec(option.value)
  if (!option || !range || option.name !== '--length') return undefined
  const lo = Number(range[1])
  const hi = option.value.includes(':') ? Number(range[2] ?? 65535) : lo
  const bounds = lengthBounds(env.packet)
  if (bounds.hi < lo || bounds.lo > hi) return option.not
  return lo <= bounds.lo && bounds.hi <= hi ? !option.not : undefined
}

/** xt_hl.c: ttl_mt, hl_mt6. */
function hopLimit({ words }: Module, ttl: number): boolean | undefined {
  const option = single(words)
  const n = parseNumber(option?.value)
  if (!option || n === undefined) return undefined
  const kind = /^--(?:ttl|hl)-(eq|lt|gt)$/.exec(option.name)?.[1]
  if (!kind) return undefined
  return (kind === 'eq' ? ttl === n : kind === 'lt' ? ttl < n : ttl > n) !== option.not
}

/** xt_dscp.c: dscp_mt, tos_mt. */
function trafficClass({ module, words }: Module, { packet: { tos } }: MatchEnv, doubts: Doubt[]): boolean | undefined {
  const option = single(words)
  const [value, mask] = (option?.value.split('/') ?? []).map(parseNumber)
  if (!option || value === undefined || option.name !== `--${module}`) return undefined
  if (tos !== undefined) return ((module === 'dscp' ? tos >> 2 : tos & (mask ?? 0xff)) === value) !== option.not
  // the field is taken for 0: then `(tos & mask) == value` holds for the value 0 only
  return assume(doubts, 'packets carry no TOS and DSCP', (value === 0) !== option.not)
}

/** xt_pkttype.c: what the link layer says; a packet that the walk carries was sent to this host. */
function packetType({ words }: Module, env: MatchEnv): boolean | undefined {
  const option = single(words)
  if (option?.name !== '--pkt-type') return undefined
  if (env.packet.family === 4 && env.addressType(env.packet.dst) === 'BROADCAST') return undefined
  const type = isMulticast(env.packet.dst) ? 'multicast' : 'unicast'
  return (option.value === type) !== option.not
}

/** xt_helper.c: without a master connection `return info->invert`. Only connections that a helper expected have one; they begin RELATED. */
function helper({ words }: Module, env: MatchEnv): boolean | undefined {
  if (env.ct.state === 'RELATED' && !env.packet.icmp && isTracked(env)) return undefined
  return words[0] === '!'
}
