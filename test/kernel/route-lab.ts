/** Random addresses, routes and rules for a real kernel, drawn from few prefixes so that they meet often. */
import type { RouteQuery, RouteResult } from '../../src/kernel/route/types.ts'
import type { Random } from './random.ts'

export const devices = ['v0', 'v1', 'v2', 'v3', 'br0'] as const
const tables = ['main', 'main', 'main', '100', '101']
const bases = { 4: ['10.1', '10.2', '10.3', '172.16'], 6: ['fd01:0:0:', 'fd02:0:0:', 'fd02:0:1:', '2001:db8:1:'] } as const
const marks = [0, 1, 2, 0x10, 0x30]

export const mark = (r: Random): number => r.pick(marks)

/** `10.1.2.3`, from few subnets */
export function address(r: Random, family: 4 | 6): string {
  return family === 4 ? `${r.pick(bases[4])}.${r.below(4)}.${1 + r.below(9)}` : `${r.pick(bases[6])}${r.below(3)}::${1 + r.below(9)}`
}

export function prefix(r: Random, family: 4 | 6): string {
  if (r.chance(0.08)) return 'default'
  return family === 4
    ? `${address(r, 4)}/${r.pick([8, 12, 16, 22, 24, 30, 32])}`
    : `${address(r, 6)}/${r.pick([16, 32, 48, 64, 96, 126, 128])}`
}

/** Commands for devices that stand in for a node's: veth pairs, one without a carrier, one bridge. */
export const setup = [
  // addresses that are still being checked for duplicates would come and go while the test reads
  'sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0',
  'ip link set lo up',
  'for i in 0 1 2 3; do ip link add v$i type veth peer name p$i; ip link set v$i up; done',
  'for i in 0 1 2; do ip link set p$i up; done',
  'ip link add br0 type bridge; ip link set p0 master br0; ip link set br0 up',
  'sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.all.send_redirects=0',
  'for d in all default v0 v1 v2 v3 br0; do sysctl -qw net.ipv4.conf.$d.rp_filter=0 net.ipv4.conf.$d.send_redirects=0; done',
].join('\n')

export function addressCommands(r: Random): string[] {
  const out: string[] = []
  // the last device stays bare, as a cali* device is
  for (const dev of ['v0', 'v1', 'v2', 'br0']) {
    for (let i = r.below(4); i > 0; i--) {
      const scope = r.chance(0.15) ? ' scope link' : ''
      const peer = r.chance(0.1) ? ` peer ${address(r, 4)}/${r.pick([24, 32])}` : `/${r.pick([16, 24, 24, 32])}`
      out.push(`addr add ${address(r, 4)}${peer} dev ${dev}${scope}`)
    }
    for (let i = r.below(3); i > 0; i--)
      out.push(`addr add ${address(r, 6)}/${r.pick([64, 64, 120, 128])} dev ${dev} nodad${r.chance(0.2) ? ' preferred_lft 0' : ''}`)
  }
  return out
}

export function routeCommand(r: Random, family: 4 | 6): string {
  const type = r.chance(0.15) ? `${r.pick(['blackhole', 'unreachable', 'prohibit', 'throw'])} ` : ''
  const tail = [
    `table ${r.pick(tables)}`,
    r.chance(0.3) ? `metric ${r.pick([5, 10, 2000])}` : '',
    family === 6 && r.chance(0.15) ? `from ${prefix(r, 6).replace('default', '::/0')}` : '',
    family === 4 && r.chance(0.1) ? `tos ${r.pick(['0x10', '0x08'])}` : '',
  ].filter((x) => x !== '')
  if (type !== '') return `route add ${type}${prefix(r, family)} ${tail.join(' ')}`
  if (r.chance(0.15)) {
    const hops = [1, 2].map(() => `nexthop ${hop(r, family)} weight ${1 + r.below(4)}`)
    return `route add ${prefix(r, family)} ${tail.join(' ')} ${hops.join(' ')}`
  }
  return `route ${r.chance(0.2) ? 'append' : 'add'} ${prefix(r, family)} ${hop(r, family)} ${tail.join(' ')}`
}

function hop(r: Random, family: 4 | 6): string {
  const dev = r.pick(devices)
  if (r.chance(0.4)) return `dev ${dev}`
  if (family === 4 && r.chance(0.1)) return `via inet6 fe80::${1 + r.below(9)} dev ${dev}`
  return `via ${address(r, family)} dev ${dev} onlink`
}

export function ruleCommand(r: Random, family: 4 | 6): string {
  const selectors = [
    r.chance(0.2) ? 'not' : '',
    r.chance(0.3) ? `from ${prefix(r, family).replace('default', 'all')}` : '',
    r.chance(0.3) ? `to ${prefix(r, family).replace('default', 'all')}` : '',
    r.chance(0.4) ? `fwmark ${r.pick(['1', '2', '0x10/0x10', '0x0/0x20'])}` : '',
    r.chance(0.2) ? `iif ${r.pick(['lo', 'v0', 'v1', 'gone'])}` : '',
    r.chance(0.1) ? `oif ${r.pick(['v0', 'v1'])}` : '',
    r.chance(0.1) ? `ipproto ${r.pick(['udp', 'tcp'])}` : '',
  ]
  const preference = 1 + r.below(60)
  const action = r.chance(0.12)
    ? r.pick(['blackhole', 'unreachable', 'prohibit'])
    : r.chance(0.15)
      ? `goto ${preference + 1 + r.below(20)}`
      : `lookup ${r.pick(['100', '101', 'main'])}${r.chance(0.25) ? ` suppress_prefixlength ${r.pick([0, 8, 16, 24])}` : ''}`
  return `rule add ${selectors.filter((x) => x !== '').join(' ')} pref ${preference} ${action}`
}

/**
 * A local IPv4 sender bound to a device gets through even where the tables refuse or know nothing: the destination is then taken
 * to be on that device's link, with a source by selectIpv4(links, device, undefined, 'link') (ip_route_output_key_hash_rcu).
 */
export function assumesOnLink(query: RouteQuery, result: RouteResult): boolean {
  if (query.family !== 4 || query.oif === undefined || (query.iif !== undefined && query.iif !== 'lo')) return false
  if (result.kind === 'route') return result.nexthops.length === 0
  return result.kind === 'none' || result.kind === 'rule'
}
