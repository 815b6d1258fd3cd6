/** What administrators do to nodes beside Kubernetes: rules, routes, addresses and settings of their own. */
import type { Random } from '../../kernel/random.ts'
import { nodeAddress, podRange, podRangeOf } from '../network.ts'

export interface Disorder {
  /** lines of sh; one that fails is passed over */
  readonly lines: readonly string[]
  /** addresses that the node has by it */
  readonly addresses: readonly string[]
}

/** Takes all of it away, whatever it was. */
export const order: readonly string[] = [
  'nft delete table inet admin',
  'for t in filter nat mangle; do for c in iptables-legacy ip6tables-legacy; do $c -t $t -F; $c -t $t -X; done; done',
  'for c in iptables ip6tables; do $c -S | sed -n "s/^-A \\(.*--comment admin.*\\)/-D \\1/p" | while read -r line; do $c $line; done; done',
  'for f in -4 -6; do while ip $f rule del pref 500; do :; done; ip $f route flush table 100; done',
  'for f in -4 -6; do ip $f route flush proto 99; done',
  'for a in $(ip -o addr show label eth0:adm | sed "s/.*inet \\([^ ]*\\).*/\\1/"); do ip addr del $a dev eth0; done',
  'for a in $(ip -6 -o addr show dev eth0 | sed -n "s/.*inet6 \\(fd30::5[^ ]*\\).*/\\1/p"); do ip addr del $a dev eth0; done',
  'ip addr del 198.51.100.1/32 dev lo',
  'cd /proc/sys/net; for c in all eth0; do echo 0 >ipv4/conf/$c/rp_filter; echo 0 >ipv4/conf/$c/accept_local; done; echo 1 >ipv4/ip_forward; echo 1 >ipv6/conf/all/forwarding',
]

/** @param node from 0; @param pods addresses, of each family */
export function drawDisorder(r: Random, families: 1 | 2, node: number, nodes: number, pods: readonly (readonly string[])[]): Disorder {
  const lines: string[] = []
  const addresses: string[] = []
  const family = () => r.below(families) as 0 | 1
  if (r.chance(0.3)) lines.push(`echo ${r.below(3)} >/proc/sys/net/ipv4/conf/${r.pick(['all', 'eth0'])}/rp_filter`)
  if (r.chance(0.1)) lines.push('echo 1 >/proc/sys/net/ipv4/conf/all/accept_local')
  if (r.chance(0.05)) lines.push('echo 0 >/proc/sys/net/ipv4/ip_forward')
  if (r.chance(0.3)) {
    lines.push(`ip addr add 172.30.0.${51 + node}/24 dev eth0 label eth0:adm`)
    addresses.push(`172.30.0.${51 + node}`)
    if (families === 2) {
      lines.push(`ip addr add fd30::${51 + node}/64 dev eth0 nodad`)
      addresses.push(`fd30::${51 + node}`)
    }
  }
  if (r.chance(0.15)) lines.push('ip addr add 198.51.100.1/32 dev lo')
  if (r.chance(0.4)) lines.push(...nftLines(r, pods))
  if (r.chance(0.25)) lines.push(...Array.from({ length: 1 + r.below(2) }, () => iptablesLine(r, families, 'tables-legacy', pods)))
  if (r.chance(0.25)) lines.push(...Array.from({ length: 1 + r.below(2) }, () => iptablesLine(r, families, 'tables', pods)))
  if (r.chance(0.25)) lines.push(...ruleLines(r, family(), node, nodes, pods))
  if (r.chance(0.15)) {
    const f = family()
    const type = r.pick(['blackhole', 'prohibit', 'unreachable', 'throw'])
    lines.push(`ip ${f === 0 ? '-4' : '-6'} route add ${type} ${r.pick(pods)[f]}/${f === 0 ? 31 : 127} proto 99`)
  }
  // a smaller way to some pods, or to all of another node
  if (r.chance(0.3)) {
    const f = family()
    const other = (node + 1) % nodes
    const to = r.pick([podRangeOf(other)[f], `${r.pick(pods)[f]}/${f === 0 ? 32 : 128}`])
    lines.push(`ip ${f === 0 ? '-4' : '-6'} route add ${to} via ${nodeAddress(other)[f]} metric 1 mtu ${r.pick([1300, 1400])} proto 99`)
  }
  return { lines, addresses }
}

const ports = ['80', '53', '8080', '5353', '7000', '9100', '30000-30030'] as const

function nftLines(r: Random, pods: readonly (readonly string[])[]): readonly string[] {
  const hook = r.pick(['prerouting', 'input', 'forward', 'output', 'postrouting'] as const)
  const from = () =>
    r.pick([
      `ip saddr ${r.pick(pods)[0]}`,
      `ip daddr ${r.pick(pods)[0]}`,
      'iifname "eth0"',
      'meta nfproto ipv6',
      'ct state new',
      'fib daddr type local',
    ])
  const what = () => `${r.pick(['tcp', 'udp'])} dport ${r.pick(ports)}`
  const ends =
    hook === 'prerouting' || hook === 'postrouting'
      ? ['drop', 'accept', 'meta mark set 0x4000']
      : ['drop', 'reject', 'reject with icmpx admin-prohibited', 'accept', 'return', 'meta mark set 0x4000']
  const rules = Array.from({ length: 1 + r.below(3) }, () =>
    `${from()} ${what()} counter ${r.pick(ends)}`.replace(
      'iifname "eth0"',
      hook === 'output' || hook === 'postrouting' ? 'oifname "eth0"' : 'iifname "eth0"',
    ),
  )
  const priority = r.pick([-150, -105, -50, -1, 5, 99, 101])
  const nat = r.pick([
    [],
    [
      `chain hide { type nat hook postrouting priority ${r.pick([90, 110])}; ip saddr ${podRange[0]} ip daddr != ${podRange[0]} masquerade; }`,
    ],
    [
      `chain turn { type nat hook prerouting priority ${r.pick([-110, -90])}; tcp dport ${r.pick(['30000-30030', '6'])} redirect to :9100; }`,
    ],
  ])
  const table = [`chain filter { type filter hook ${hook} priority ${priority}; ${rules.join('; ')}; }`, ...nat].join('\n')
  return [`nft -f - <<'END'\ntable inet admin {\n${table}\n}\nEND`]
}

function iptablesLine(r: Random, families: number, tables: string, pods: readonly (readonly string[])[]): string {
  const f = r.below(families)
  const command = `ip${f === 0 ? '' : '6'}${tables}`
  const comment = '-m comment --comment admin'
  if (r.chance(0.2))
    return `${command} -t nat -A POSTROUTING -s ${r.pick(pods)[f]} ${tables === 'tables' ? '' : comment} -o eth0 -j MASQUERADE`
  const target = r.pick(['DROP', 'REJECT', 'REJECT --reject-with tcp-reset', 'ACCEPT'])
  const proto = target.includes('reset') ? 'tcp' : r.pick(['tcp', 'udp'])
  const who = r.pick([`-s ${r.pick(pods)[f]}`, `-d ${r.pick(pods)[f]}`, '-m conntrack --ctstate NEW', '-m conntrack --ctstate DNAT', ''])
  return `${command} -${r.pick(['A', 'I'])} ${r.pick(['INPUT', 'FORWARD', 'OUTPUT'])} -p ${proto} ${who} --dport ${r.pick(ports).replace('-', ':')} ${comment} -j ${target}`
}

function ruleLines(r: Random, f: 0 | 1, node: number, nodes: number, pods: readonly (readonly string[])[]): readonly string[] {
  const ip = f === 0 ? 'ip -4' : 'ip -6'
  const other = nodeAddress((node + 1) % nodes)[f]
  const route = r.pick([
    `default via ${other}`,
    'unreachable default',
    'prohibit default',
    `${podRangeOf(0)[f]} via ${other}`,
    'blackhole default',
  ])
  const rule = r.pick([
    `from ${r.pick(pods)[f]}`,
    `from ${podRangeOf(node)[f]} to ${podRangeOf(0)[f]}`,
    'fwmark 0x4000/0x4000',
    `iif eth0 to ${r.pick(pods)[f]}`,
    // not to the control plane, which the node would be lost to
    `from ${nodeAddress(node)[f]} to ${podRange[f]}`,
  ])
  return [`${ip} route add ${route} table 100`, `${ip} rule add pref 500 ${rule} lookup 100`]
}
