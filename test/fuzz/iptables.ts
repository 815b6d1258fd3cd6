/** Random tables for iptables-restore: every table, user chains with jumps and gotos, the matches and targets that the walk models. */
import type { Random } from '../kernel/random.ts'
import { directions, type Plot, type TableName } from './plots.ts'
import type { Pool } from './values.ts'

/** Chains whose rules may jump to the same user chains, since the same targets are lawful in them. */
interface Group {
  readonly table: TableName
  readonly bases: readonly string[]
  readonly users: readonly string[]
}

const groups: readonly Group[] = [
  { table: 'raw', bases: ['PREROUTING', 'OUTPUT'], users: ['r1', 'r2'] },
  { table: 'mangle', bases: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'], users: ['m1', 'm2'] },
  { table: 'nat', bases: ['PREROUTING', 'OUTPUT'], users: ['d1', 'd2', 'd3'] },
  { table: 'nat', bases: ['POSTROUTING'], users: ['t1', 't2'] },
  { table: 'nat', bases: ['INPUT'], users: [] },
  { table: 'filter', bases: ['INPUT', 'FORWARD', 'OUTPUT'], users: ['f1', 'f2', 'f3'] },
  { table: 'security', bases: ['INPUT', 'FORWARD', 'OUTPUT'], users: [] },
]

/** Lines for one backend; the rules of plots among those of chance, in their order. */
export function makeIptables(pool: Pool, plots: readonly Plot[] = []): readonly string[] {
  const { r } = pool
  const tables = new Map<TableName, { heads: string[]; rules: string[] }>()
  const used: Readonly<Record<TableName, number>> = { raw: 0.3, mangle: 0.4, nat: 0.75, filter: 0.85, security: 0.1 }
  const chosen = new Set((Object.keys(used) as TableName[]).filter((t) => r.chance(used[t])))
  const planned = plots.flatMap((plot) => plot.rules)
  for (const [table] of planned) chosen.add(table)
  for (const group of groups) {
    if (!chosen.has(group.table)) continue
    let table = tables.get(group.table)
    if (!table) tables.set(group.table, (table = { heads: [], rules: [] }))
    for (const base of group.bases) {
      const policy = group.table === 'filter' && r.chance(0.08) ? 'DROP' : 'ACCEPT'
      table.heads.push(`:${base} ${policy} [0:0]`)
      table.rules.push(...guard(pool, group.table, base))
      const rules = Array.from({ length: r.pick([0, 1, 2, 3, 4]) }, () => `-A ${base} ${makeRule(pool, group, base, group.users)}`)
      table.rules.push(...merge(r, planned.filter(([t, c]) => t === group.table && c === base).map(written), rules))
      if (policy === 'DROP') table.rules.push(...openings(pool, base))
    }
    for (const [i, user] of group.users.entries()) {
      table.heads.push(`:${user} - [0:0]`)
      for (let k = r.below(4); k > 0; k--) table.rules.push(`-A ${user} ${makeRule(pool, group, '', group.users.slice(i + 1))}`)
    }
  }
  for (const [name, chain] of plots.flatMap((plot) => plot.chains)) {
    tables.get(name)?.heads.push(`:${chain} - [0:0]`)
    tables.get(name)?.rules.push(...planned.filter(([t, c]) => t === name && c === chain).map(written))
  }
  return [...tables].flatMap(([name, { heads, rules }]) => [`*${name}`, ...heads, ...rules, 'COMMIT'])
}

const written = ([, chain, rule]: Plot['rules'][number]) => `-A ${chain} ${rule}`

/** Two lists in one, each in its own order. */
function merge<T>(r: Random, first: readonly T[], second: readonly T[]): readonly T[] {
  const out: T[] = []
  const [a, b] = [[...first], [...second]]
  while (a.length + b.length > 0) out.push((a.length > 0 && (b.length === 0 || r.chance(0.6)) ? a : b).shift() as T)
  return out
}

/** Neighbour discovery passes: what one side learns of the other from an earlier packet is in no dump. */
function guard(pool: Pool, table: TableName, base: string): readonly string[] {
  if (pool.net.family === 4 || table === 'nat' || base === 'FORWARD') return []
  return [135, 136].map((type) => `-A ${base} -p ipv6-icmp -m icmp6 --icmpv6-type ${type} -j ACCEPT`)
}

/** Behind a policy of DROP something must be let through. */
function openings(pool: Pool, base: string): readonly string[] {
  const { r } = pool
  return [
    ...(r.chance(0.8) ? [`-A ${base} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`] : []),
    `-A ${base} -p ${r.pick(['tcp', 'udp', 'tcp'])} -j ACCEPT`,
    ...Array.from({ length: 2 }, () => `-A ${base} ${[...features(pool, 1)].join(' ')} -j ACCEPT`),
  ]
}

function makeRule(pool: Pool, group: Group, base: string, users: readonly string[]): string {
  const { r } = pool
  const target = makeTarget(pool, group, base, users)
  const strong = /^-j (DROP|REJECT|QUEUE|CT|NOTRACK|TTL|HL)/.test(target)
  // what ends a packet's way looks at two things at least, one of which may be a mark, a set or a state
  const decisive = strong && r.chance(0.5)
  const words = [...features(pool, decisive ? 1 : strong ? 2 : r.pick([0, 1, 1, 2]))]
  if (decisive || r.chance(0.35)) words.push(extra(pool, group, base))
  // a packet that goes round would choose again in every round: more ways than can be followed
  const once = group.table === 'nat' || (strong && (base === 'INPUT' || base === 'OUTPUT'))
  if (pool.random && r.chance(0.3) && once) words.push(chance(pool, group))
  const ported = words.some((w) => /^-p (tcp|udp)/.test(w))
  return [...orderly(words), ported ? target : target.replace(/:(80|700[01])$/, '')].join(' ')
}

/** Only first packets are left to chance: how many packets a connection has, and which are sent again, is not what is asked. */
function chance(pool: Pool, group: Group): string {
  const state = group.table === 'nat' ? '' : '-m conntrack --ctstate NEW '
  return `${state}-m statistic --mode random --probability ${pool.r.pick(['0.25', '0.50000000000', '0.33333333349'])}`
}

/** `-p` may stand once and comes before the matches that need it. */
function orderly(words: readonly string[]): readonly string[] {
  const withProto = words.find((w) => /^(! )?-p /.test(w))
  return [...(withProto ? [withProto] : []), ...words.filter((w) => !/^(! )?-p /.test(w))]
}

/** `count` of a packet's own features: source, destination, protocol and port. */
function features(pool: Pool, count: number): Set<string> {
  const { r, not, net } = pool
  const probe = pool.probe()
  const bits = net.family === 4 ? r.pick([32, 32, 24, 16]) : r.pick([128, 128, 64, 16])
  const makers = [
    () => `${not()}-s ${pool.sourceOf(probe)}/${bits}`,
    () => `${not()}-d ${probe.dst}/${net.family === 4 ? 32 : 128}`,
    () => protocol(pool, probe.proto, probe.port),
  ]
  const out = new Set<string>()
  while (out.size < count && makers.length > 0) {
    const [make] = makers.splice(r.below(makers.length), 1)
    if (make) out.add(make())
  }
  return out
}

function protocol(pool: Pool, proto: string, port: number | undefined): string {
  const { r, not, net } = pool
  if (port === undefined) {
    return net.family === 4
      ? `-p icmp${r.chance(0.5) ? ` -m icmp ${not()}--icmp-type ${r.pick(['8', '0', '8/0', '3', '3/3', '11'])}` : ''}`
      : `-p ipv6-icmp${r.chance(0.7) ? ` -m icmp6 --icmpv6-type ${r.pick(['128', '129', '1', '1/4', '3'])}` : ''}`
  }
  const range = r.pick([`${port}`, `${port}`, `${port}:7001`, `80:${port}`, '7000:7002'])
  const [lo = 0, hi = lo] = range.split(':').map(Number)
  const spec = lo <= hi ? range : `${hi}:${lo}`
  return r.pick([
    () => `-p ${proto}`,
    () => `-p ${proto} -m ${proto} ${not()}--dport ${spec}`,
    () => `-p ${proto} -m ${proto} ${not()}--dport ${spec}`,
    () => `-p ${proto} -m ${proto} ${not()}--sport ${spec}`,
    () => `-p ${proto} -m multiport ${not()}--dports ${port},${r.pick(['53', '81', '7001:7002'])}`,
    () => `-p ${proto} -m multiport ${not()}--ports ${port}`,
    () => (proto === 'tcp' ? `-p tcp -m tcp ${not()}--tcp-flags FIN,SYN,RST,ACK SYN` : '-p udp'),
  ])()
}

/** A match of any other kind. */
function extra(pool: Pool, group: Group, base: string): string {
  const { r, not, net } = pool
  const device = () => r.pick([pool.device(), pool.device(), 'eth+', 'cali+', 'lo'])
  const pair = () => {
    const [from = '', to = from] = [pool.address(), pool.address()].sort(byValue)
    return `${from}-${to}`
  }
  const choices: (() => string)[] = [
    () => `-m mark ${not()}--mark ${r.pick(['0x1', '0x2/0x2', '0x0/0x3', '0x10/0xf0'])}`,
    () => `-m mark ${not()}--mark ${r.pick(['0x1', '0x2/0x2', '0x0/0x3', '0x10/0xf0'])}`,
    () => `-m connmark ${not()}--mark ${r.pick(['0x1/0x1', '0x0', '0x2/0x3'])}`,
    () =>
      `-m conntrack ${not()}--ctstate ${r.pick(['NEW', 'INVALID', 'ESTABLISHED', 'RELATED,ESTABLISHED', 'DNAT', 'SNAT', 'NEW,UNTRACKED'])}`,
    () => `-m conntrack ${not()}--ctstatus ${r.pick(['SEEN_REPLY', 'CONFIRMED', 'NONE'])}`,
    () => `-m conntrack --ctdir ${r.pick(['ORIGINAL', 'REPLY'])}`,
    () => `-m conntrack ${not()}--ctorigdst ${pool.address()}`,
    () => `-m conntrack ${not()}--ctorigsrc ${pool.address()}`,
    () => `-m conntrack ${not()}--ctreplsrc ${pool.address()}`,
    () => `-m conntrack --ctproto ${r.pick([6, 17])} --ctorigdstport ${pool.port()}`,
    () => `-m state ${not()}--state ${r.pick(['NEW', 'RELATED,ESTABLISHED', 'INVALID'])}`,
    () => `-m addrtype ${not()}--dst-type ${r.pick(['LOCAL', 'UNICAST', 'LOCAL,UNICAST'])}`,
    () => `-m addrtype ${not()}--src-type ${r.pick(['LOCAL', 'UNICAST'])}`,
    () => `-m iprange ${not()}--${r.pick(['src', 'dst'])}-range ${pair()}`,
    () => `-m ${net.family === 4 ? 'ttl --ttl' : 'hl --hl'}-${r.pick(['eq', 'lt', 'gt'])} ${r.pick([62, 63, 64])}`,
    () => `-m dscp ${not()}--dscp 0x00`,
    () => '-m limit --limit 1000/sec --limit-burst 1000',
    () => `-m comment --comment "${r.pick(['a comment', 'x', '$(!)'])}"`,
  ]
  const inbound = ['PREROUTING', 'INPUT', 'FORWARD'].includes(base)
  const outbound = ['FORWARD', 'OUTPUT', 'POSTROUTING'].includes(base)
  for (let i = 0; i < 3; i++) {
    if (inbound || base === '') choices.push(() => `${not()}-i ${device()}`)
    if (outbound || base === '') choices.push(() => `${not()}-o ${device()}`)
  }
  if (inbound) choices.push(() => `-m addrtype ${not()}--dst-type LOCAL --limit-iface-in`)
  if (outbound) choices.push(() => `-m addrtype ${not()}--src-type LOCAL --limit-iface-out`)
  if (base === 'PREROUTING' && group.table !== 'nat')
    choices.push(() => `-m rpfilter${r.pick(['', ' --loose', ' --validmark'])}${r.pick(['', ' --invert'])}`)
  if (base === 'OUTPUT') choices.push(() => `-m owner ${not()}--socket-exists`)
  for (const [name, type] of pool.sets) {
    // the device of a set of networks and devices is the incoming one with src: only where there is one
    if (type.endsWith('iface') && !inbound) continue
    for (let i = 0; i < 4; i++) choices.push(() => `-m set ${not()}--match-set ${name} ${directions(r, type)}`)
  }
  return r.pick(choices)()
}

/** Addresses in the order of ranges. */
function byValue(x: string, y: string): number {
  const expand = (a: string) => {
    if (!a.includes(':'))
      return a
        .split('.')
        .map((p) => p.padStart(3, '0'))
        .join('.')
    const [head = '', tail = ''] = a.split('::')
    const parts = (s: string) => s.split(':').filter((p) => p !== '')
    const zeros = Array<string>(8 - parts(head).length - parts(tail).length).fill('0')
    return [...parts(head), ...(a.includes('::') ? zeros : []), ...parts(tail)].map((p) => p.padStart(4, '0')).join(':')
  }
  return expand(x) < expand(y) ? -1 : 1
}

function makeTarget(pool: Pool, group: Group, base: string, users: readonly string[]): string {
  const { r } = pool
  if (users.length > 0 && r.chance(0.3)) return `${r.chance(0.25) ? '-g' : '-j'} ${r.pick(users)}`
  const any = [
    () => `-j MARK --set-xmark ${r.pick(['0x1/0x1', '0x2/0x2', '0x0/0x1', '0x3/0xffffffff', '0x10/0x10', '0x1/0x0'])}`,
    () =>
      `-j CONNMARK ${r.pick(['--save-mark', '--restore-mark', '--save-mark --nfmask 0x3 --ctmask 0x3', '--set-xmark 0x1/0x1', '--restore-mark --nfmask 0x2 --ctmask 0x3'])}`,
    () => '-j RETURN',
    () => '-j ACCEPT',
    () => '',
    () => `-j ${r.pick(['NFLOG --nflog-group 7', 'MARK --or-mark 0x2', 'MARK --set-mark 0x1'])}`,
  ]
  const own: (() => string)[] = {
    raw: [() => '-j NOTRACK', () => '-j CT --notrack', () => '-j DROP'],
    mangle: [() => '-j DROP', ...any, ...any, ...(r.chance(0.3) ? [() => ttl(pool)] : [])],
    nat: natTargets(pool, base, group),
    filter: [() => '-j DROP', () => reject(pool), () => reject(pool)],
    security: [() => '-j DROP'],
  }[group.table]
  return r.pick(group.table === 'nat' ? [...own, ...own, ...any] : [...own, ...any])()
}

const ttl = ({ r, net }: Pool) =>
  net.family === 4
    ? `-j TTL --ttl-${r.pick(['dec 1', 'set 1', 'set 2', 'inc 5'])}`
    : `-j HL --hl-${r.pick(['dec 1', 'set 1', 'set 2', 'inc 5'])}`

const reject = ({ r, net }: Pool) =>
  net.family === 4
    ? `-j REJECT --reject-with ${r.pick(['icmp-port-unreachable', 'icmp-net-unreachable', 'icmp-host-unreachable', 'icmp-admin-prohibited', 'icmp-proto-unreachable', 'icmp-host-prohibited'])}`
    : `-j REJECT --reject-with ${r.pick(['icmp6-port-unreachable', 'icmp6-no-route', 'icmp6-adm-prohibited', 'icmp6-addr-unreachable'])}`

function natTargets(pool: Pool, base: string, group: Group): (() => string)[] {
  const { r, net } = pool
  const bracket = (a: string) => (net.family === 6 ? `[${a}]` : a)
  if (group.bases.includes('POSTROUTING')) {
    return [
      () => `-j MASQUERADE${r.chance(0.2) ? ' --random-fully' : ''}`,
      () => '-j MASQUERADE',
      () => `-j SNAT --to-source ${r.chance(0.7) && pool.space.addresses.length > 0 ? r.pick(pool.space.addresses) : pool.address()}`,
      () => `-j NETMAP --to ${r.pick(net.prefixes)}`,
    ]
  }
  if (base === 'INPUT') return [() => `-j SNAT --to-source ${pool.address()}`]
  return [
    () => `-j DNAT --to-destination ${pool.backend()}`,
    () => `-j DNAT --to-destination ${pool.backend()}`,
    () => `-j DNAT --to-destination ${r.pick(pool.space.addresses.length > 0 ? pool.space.addresses : net.services)}`,
    () => `-j DNAT --to-destination ${bracket(pool.backend())}:${r.pick([80, 7000, 7001])}`,
    () => '-j REDIRECT',
    () => `-j NETMAP --to ${r.pick(net.prefixes)}`,
  ]
}
