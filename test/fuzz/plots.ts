/**
 * Plots: a few rules that only mean something together, as one sets what another looks for. Rules drawn one by one hardly ever meet so:
 * of a mark that is set with a mask, what another mask leaves of it; a packet that is not tracked and a rule that asks for its state;
 * a chain that is left before its end and what stands behind the call; a set that decides.
 */
import { waysOf } from './routes.ts'
import type { Probe } from './scenario.ts'
import { makeSet } from './sets.ts'
import { bits, type Pool, tests } from './values.ts'

/** Rules of iptables in the order in which they belong. */
export interface Plot {
  /** `ip -batch` */
  readonly ip?: readonly string[]
  /** `ipset restore` */
  readonly ipset?: readonly string[]
  /** tables and user chains to be made */
  readonly chains: readonly (readonly [table: TableName, chain: string])[]
  readonly rules: readonly (readonly [table: TableName, chain: string, rule: string])[]
}

export type TableName = 'raw' | 'mangle' | 'nat' | 'filter' | 'security'

/** What a plot is about: a packet, as its rules know it, and the hooks that it passes early and late. */
interface Hero {
  readonly probe: Probe
  readonly early: 'PREROUTING' | 'OUTPUT'
  readonly late: 'INPUT' | 'FORWARD' | 'OUTPUT'
}

export function makePlots(pool: Pool): readonly Plot[] {
  const { r } = pool
  const kinds = [marked, marked, routed, routed, untracked, called, called, inSet, inSet, inSet, inSet]
  return Array.from({ length: r.pick([1, 1, 2, 3, 4]) }, (_, i) => r.pick(kinds)(pool, hero(pool), i))
}

/** A packet that this host sends, routes or gets, as far as can be told without routing it. */
function hero({ r, net, space, probe }: Pool): Hero {
  const place = (name: string) => net.spaces.find((it) => it.name === name)
  const near = (p: Probe) =>
    place(p.from)?.node === space.name || net.spaces.some((it) => it.node === space.name && it.addresses.includes(p.dst))
  const own = (p: Probe) => p.from === space.name || space.addresses.includes(p.dst)
  const tries = Array.from({ length: 6 }, probe)
  const it = tries.find(near) ?? tries.find(own) ?? probe()
  if (it.from === space.name) return { probe: it, early: 'OUTPUT', late: 'OUTPUT' }
  return { probe: it, early: 'PREROUTING', late: space.addresses.includes(it.dst) || r.chance(0.1) ? 'INPUT' : 'FORWARD' }
}

/** Bits set over bits that are there already, then a test of some of them. */
function marked(pool: Pool, it: Hero): Plot {
  const { r } = pool
  const table = r.pick(['filter', 'filter', 'mangle'] as const)
  const setter = r.chance(0.5) ? it.early : it.late
  const test = `${some(pool, it)} -m mark ${pool.not()}--mark ${r.pick(tests)}`
  return { chains: [], rules: [...marks(pool, it, setter), [table, it.late, `${test} ${end(pool, table)}`]] }
}

const marks = (pool: Pool, it: Hero, chain: string): Plot['rules'] =>
  Array.from({ length: pool.r.pick([1, 2, 2]) }, () => ['mangle', chain, `${some(pool, it)} -j MARK --set-xmark ${pool.r.pick(bits)}`])

/** The mark leads to a table of its own, or to nothing. */
function routed(pool: Pool, it: Hero, at: number): Plot {
  const { r, space } = pool
  const rule = (action: string) => `rule add fwmark ${r.pick(tests)} pref ${800 + 10 * space.ip.length + at} ${action}`
  const table = 110 + at
  const dst = r.chance(0.4) ? 'default' : `${it.probe.dst}/${pool.net.family === 4 ? 32 : 128}`
  const way = r.pick(['blackhole', 'unreachable', 'prohibit', 'throw', ...waysOf(space)])
  const route = /^(via|dev) /.test(way) ? `${dst} ${way}` : `${way} ${dst}`
  return {
    chains: [],
    rules: marks(pool, it, it.early),
    ip: r.chance(0.6)
      ? [rule(r.pick(['blackhole', 'unreachable', 'prohibit']))]
      : [`route replace ${route} table ${table}`, rule(`lookup ${table}`)],
  }
}

function untracked(pool: Pool, it: Hero): Plot {
  const { r } = pool
  const table = r.pick(['filter', 'filter', 'mangle'] as const)
  const states = r.pick(['NEW', 'NEW', 'UNTRACKED', 'NEW,UNTRACKED', 'INVALID', 'RELATED,ESTABLISHED'])
  return {
    chains: [],
    rules: [
      ['raw', it.early, `${some(pool, it)} ${r.pick(['-j NOTRACK', '-j CT --notrack'])}`],
      [table, it.late, `${some(pool, it)} -m conntrack ${pool.not()}--ctstate ${states} ${end(pool, table)}`],
    ],
  }
}

/** A called chain, perhaps one more, that is left before its last rule; the caller goes on. */
function called(pool: Pool, it: Hero, at: number): Plot {
  const { r } = pool
  const { late } = it
  const table = r.pick(['filter', 'mangle'] as const)
  const [outer, inner] = [`p${at}`, `q${at}`]
  const deep = r.chance(0.4)
  const last = deep ? inner : outer
  const ends = () => `${narrow(pool, it)} ${end(pool, table)}`
  return {
    chains: [[table, outer], ...(deep ? [[table, inner] as const] : [])],
    rules: [
      [table, late, `${some(pool, it)} -${r.chance(0.2) ? 'g' : 'j'} ${outer}`],
      [table, late, ends()],
      ...(deep ? [[table, outer, `-j ${inner}`] as const, [table, outer, ends()] as const] : []),
      [table, last, `${some(pool, it)} -j RETURN`],
      [table, last, ends()],
    ],
  }
}

/** A set that is likely to have the packet, as a member or as one that is none. */
function inSet(pool: Pool, it: Hero, at: number): Plot {
  const { r, net, space } = pool
  const [table, chain] = r.pick([['filter', it.late] as const, ['mangle', it.late] as const, ['mangle', it.early] as const])
  const name = `x${space.ipset.length}-${at}`
  const own = { probe: () => it.probe, address: () => r.pick([it.probe.dst, it.probe.dst, pool.sourceOf(it.probe), pool.address()]) }
  const type = r.pick(['hash:net', 'hash:net', 'hash:ip,port', 'hash:ip,port', 'hash:net,port', 'hash:ip,port,ip', 'hash:ip,port,net'])
  return {
    chains: [],
    ipset: makeSet(r, net, { ...pool, ...own }, [name, type], 1 + r.below(3)),
    rules: [[table, chain, `-m set ${pool.not()}--match-set ${name} ${directions(r, type)} ${end(pool, table)}`]],
  }
}

/** One direction for each dimension of the set: mostly those that members made of packets have. */
export function directions(r: Pool['r'], type: string): string {
  const count = type === 'list:set' ? 1 : type.split(',').length
  const usual = r.chance(0.7)
  return Array.from({ length: count }, (_, i) =>
    type.endsWith('iface') && i === 1 ? 'src' : usual && count > 1 ? (i < 2 ? 'dst' : 'src') : r.pick(['src', 'dst', 'dst']),
  ).join(',')
}

const end = ({ r }: Pool, table: TableName) => (table === 'filter' ? r.pick(['-j DROP', '-j REJECT', '-j REJECT']) : '-j DROP')

/** What the packet has in common with many, or nothing at all. */
function some(pool: Pool, it: Hero): string {
  const { r } = pool
  return r.chance(0.4) ? '' : r.chance(0.4) ? protocol(pool, it) : narrow(pool, it)
}

/** Its source or destination; now and then another's. */
function narrow(pool: Pool, it: Hero): string {
  const probe = pool.r.chance(0.15) ? pool.probe() : it.probe
  const length = pool.net.family === 4 ? 32 : 128
  return pool.r.chance(0.5) ? `-d ${probe.dst}/${length}` : `-s ${pool.sourceOf(probe)}/${length}`
}

function protocol(pool: Pool, { probe: { proto } }: Hero): string {
  return `-p ${proto === 'icmp' && pool.net.family === 6 ? 'ipv6-icmp' : proto}`
}
