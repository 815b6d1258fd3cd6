/**
 * A random little network: one or two nodes, pods, outside hosts, on one or two segments (a cable, a switch, or a node's own bridge),
 * with routes that lead everywhere, and some that do not.
 */
import type { Random } from '../kernel/random.ts'
import type { Scenario, Space, Wire } from './scenario.ts'

export type Family = 4 | 6

/** A space while it is being made. */
export interface Draft {
  readonly name: string
  readonly kind: Space['kind']
  readonly node?: string
  readonly ips: string[]
  readonly ip: string[]
  readonly bridge: string[]
  readonly sysctl: string[]
  /** devices that rules may name */
  readonly devices: string[]
  /** own addresses, without loopback's */
  readonly addresses: string[]
  readonly ipset: string[]
  readonly iptablesLegacy: string[]
  readonly iptablesNft: string[]
  readonly nft: string[]
}

export interface Net {
  readonly family: Family
  readonly spaces: Draft[]
  readonly wires: Wire[]
  /** addresses of services: nobody has them but by NAT */
  readonly services: string[]
  /** prefixes that are in use */
  readonly prefixes: string[]
  /** addresses that nobody has: on a segment, among the pods, elsewhere */
  readonly nobody: string[]
}

export const tcpPorts = [80, 81, 7000, 7001, 7002]
export const udpPorts = [53, 80, 7000, 7001, 7002]
export const closedPort = 9999

const plan = {
  lan: (f: Family, lan: number, host: number) => (f === 4 ? `172.${18 + lan}.0.${host}` : `fd${18 + lan}::${host}`),
  // a prefix is on one segment only: by that the walk knows who is on which
  second: (f: Family, lan: number, host: number) => (f === 4 ? `192.168.${50 + lan}.${host}` : `fd${50 + lan}::${host}`),
  pod: (f: Family, node: number, n: number) => (f === 4 ? `10.244.${node}.${n}` : `fd44:${node}::${n}`),
  pods: (f: Family, node: number) => (f === 4 ? `10.244.${node}.0/24` : `fd44:${node}::/64`),
  allPods: (f: Family) => (f === 4 ? '10.244.0.0/16' : 'fd44::/16'),
  service: (f: Family, n: number) => (f === 4 ? `10.96.0.${n}` : `fd96::${n}`),
  services: (f: Family) => (f === 4 ? '10.96.0.0/16' : 'fd96::/16'),
  far: (f: Family, n: number) => (f === 4 ? `203.0.113.${n}` : `2001:db8::${n}`),
  vtep: (f: Family, node: number) => (f === 4 ? `10.244.${node}.0` : `fd44:${node}::`),
}
const length = { lan: { 4: 24, 6: 64 }, host: { 4: 32, 6: 128 }, link: { 4: 30, 6: 126 } } as const
const gateway = { 4: '169.254.1.1', 6: 'fe80::1' } as const

const draft = (name: string, kind: Space['kind'], node?: string): Draft => ({
  name,
  kind,
  ...(node !== undefined && { node }),
  ips: [],
  ip: [],
  bridge: [],
  sysctl: [],
  devices: [],
  addresses: [],
  ipset: [],
  iptablesLegacy: [],
  iptablesNft: [],
  nft: [],
})

export function makeNet(r: Random, family: Family): Net {
  const net: Net = { family, spaces: [], wires: [], services: [], prefixes: [], nobody: [] }
  const nodes = ['n1', ...(r.chance(0.6) ? ['n2'] : [])].map((name) => draft(name, 'node'))
  const outside = [...(r.chance(0.8) ? ['e1'] : []), ...(r.chance(0.15) ? ['e2'] : [])].map((name) => draft(name, 'external'))
  net.spaces.push(...nodes, ...outside)
  const members = [...nodes, ...outside]
  if (members.length > 1) addSegment(r, net, 0, members)
  else for (const node of nodes) give(net, node, 'lo', plan.far(family, 1), length.host[family])
  if (members.length > 1 && r.chance(0.25))
    addSegment(
      r,
      net,
      1,
      members.filter((_, i) => i === 0 || r.chance(0.7)),
    )
  for (const [i, node] of nodes.entries()) addPods(r, net, node, i + 1)
  net.services.push(...[1, 2, 3].map((n) => plan.service(family, n)))
  net.prefixes.push(plan.allPods(family), plan.services(family))
  net.nobody.push(plan.far(family, 99), plan.pod(family, 1, 99))
  if (members.length > 1) net.nobody.push(plan.lan(family, 0, 99))
  join(r, net, nodes, outside)
  return net
}

/** Puts hosts on a segment: eth0 on the first, eth1 on the second. */
function addSegment(r: Random, net: Net, lan: number, members: readonly Draft[]): void {
  if (members.length < 2) return
  const { family } = net
  const dev = `eth${lan}`
  const [first, second] = members as [Draft, Draft]
  const made = members.length > 2 ? r.pick(['switch', 'bridge'] as const) : r.pick(['cable', 'cable', 'switch', 'bridge'] as const)
  const bridge = (space: Draft, name: string) => space.ip.push(`link add ${name} type bridge mcast_snooping 0`, `link set ${name} up`)
  const port = (space: Draft, name: string, master: string) => space.ip.push(`link set ${name} master ${master}`, `link set ${name} up`)
  const ends = new Map(members.map((m) => [m, dev]))
  if (made === 'cable') {
    net.wires.push({ a: `${first.name}/${dev}`, b: `${second.name}/${dev}` })
    for (const m of [first, second]) m.ip.push(`link set ${dev} up`)
  } else {
    // a bridge of the first one's own has the address, and the cables of all others
    const hub = made === 'switch' ? draft(`w${lan}`, 'wire') : first
    const name = `br${lan}`
    bridge(hub, name)
    if (hub !== first) net.spaces.push(hub)
    else ends.set(first, name)
    for (const m of members.filter((it) => it !== hub)) {
      net.wires.push({ a: `${hub.name}/${m.name}-${lan}`, b: `${m.name}/${dev}` })
      port(hub, `${m.name}-${lan}`, name)
      m.ip.push(`link set ${dev} up`)
    }
  }
  for (const [i, m] of members.entries()) {
    const own = ends.get(m) as string
    m.devices.push(own)
    const host = m.kind === 'node' ? 11 + i : 100 + i
    give(net, m, own, plan.lan(family, lan, host), length.lan[family])
    if (m.kind === 'node' && lan === 0) m.ips.push(plan.lan(family, 0, host))
    if (r.chance(0.25)) give(net, m, own, plan.lan(family, lan, host + 20), length.lan[family])
    if (r.chance(0.15)) give(net, m, own, plan.second(family, lan, host), length.lan[family])
  }
  net.prefixes.push(`${plan.lan(family, lan, 0)}/${length.lan[family]}`)
}

function give(net: Net, space: Draft, dev: string, address: string, bits: number): void {
  space.ip.push(`addr add ${address}/${bits} dev ${dev}${net.family === 6 ? ' nodad' : ''}`)
  space.addresses.push(address)
}

/** As Calico wires pods, or with a little subnet of their own. */
function addPods(r: Random, net: Net, node: Draft, number: number): void {
  const { family } = net
  for (let k = 0; k < (number === 1 ? r.pick([1, 1, 2]) : 1); k++) {
    const pod = draft(`p${net.spaces.filter((s) => s.kind === 'pod').length + 1}`, 'pod', node.name)
    const dev = `cali${pod.name}`
    net.wires.push({ a: `${pod.name}/eth0`, b: `${node.name}/${dev}` })
    pod.ip.push('link set eth0 up')
    pod.devices.push('eth0')
    node.ip.push(`link set ${dev} up`)
    node.devices.push(dev)
    if (r.chance(0.75)) {
      const address = plan.pod(family, number, k + 2)
      give(net, pod, 'eth0', address, length.host[family])
      if (family === 4) pod.ip.push(`route add ${gateway[4]} dev eth0 scope link`)
      pod.ip.push(`route add default via ${gateway[family]} dev eth0`)
      if (family === 4) node.sysctl.push(`net.ipv4.conf.${dev}.proxy_arp=1`, `net.ipv4.neigh.${dev}.proxy_delay=0`)
      else node.ip.push(`addr add fe80::1/64 dev ${dev} nodad`)
      node.ip.push(`route add ${address}/${length.host[family]} dev ${dev} scope link`)
      pod.ips.push(address)
    } else {
      const base = 100 + 4 * k
      give(net, node, dev, plan.pod(family, number, base + 1), length.link[family])
      give(net, pod, 'eth0', plan.pod(family, number, base + 2), length.link[family])
      pod.ip.push(`route add default via ${plan.pod(family, number, base + 1)}`)
      pod.ips.push(plan.pod(family, number, base + 2))
    }
    if (r.chance(0.1)) give(net, pod, 'eth0', plan.second(family, 2, 200 + k + 10 * number), length.host[family])
    net.spaces.push(pod)
  }
  net.prefixes.push(plan.pods(family, number))
  if (r.chance(0.96)) node.sysctl.push(family === 4 ? 'net.ipv4.ip_forward=1' : 'net.ipv6.conf.all.forwarding=1')
}

/** Routes between them: pods by their nodes, services by the first, all else by the outside. */
function join(r: Random, net: Net, nodes: readonly Draft[], outside: readonly Draft[]): void {
  const { family } = net
  const tunnel = nodes.length === 2 && r.chance(0.35)
  for (const host of [...nodes, ...outside]) {
    for (const [i, node] of nodes.entries()) {
      if (node === host) continue
      if (tunnel && host.kind === 'node') addTunnel(net, host, nodes, family)
      else host.ip.push(`route add ${plan.pods(family, i + 1)} via ${node.addresses[0]}`)
    }
  }
  const [router] = outside
  for (const host of nodes) if (router) host.ip.push(`route add default via ${router.addresses[0]}`)
  for (const [i, host] of outside.entries()) {
    if (r.chance(0.8)) host.ip.push(`route add ${plan.services(family)} via ${r.pick(nodes).addresses[0]}`)
    if (r.chance(0.4)) give(net, host, 'lo', plan.far(family, 10 + i), length.host[family])
    if (r.chance(0.2)) host.sysctl.push(family === 4 ? 'net.ipv4.ip_forward=1' : 'net.ipv6.conf.all.forwarding=1')
  }
}

/** One end of a VXLAN tunnel as Felix makes it. */
function addTunnel(net: Net, host: Draft, nodes: readonly Draft[], family: Family): void {
  const mac = (n: number) => `66:00:00:00:00:0${n}`
  const own = nodes.indexOf(host) + 1
  const far = 3 - own
  // as Felix: a checksum of the outer packet would be spoilt by NAT, as the inner one's is left to the device
  const zero = family === 6 ? ' udp6zerocsumtx udp6zerocsumrx' : ' noudpcsum'
  const dev = 'vxlan.calico'
  host.devices.push(dev)
  host.ip.push(
    `link add ${dev} address ${mac(own)} type vxlan id 4096 dev ${host.devices[0]} local ${host.addresses[0]} dstport 4789 nolearning${zero}`,
    `link set ${dev} mtu 1400 up`,
  )
  give(net, host, dev, plan.vtep(family, own), length.host[family])
  host.ip.push(
    `neigh add ${plan.vtep(family, far)} lladdr ${mac(far)} dev ${dev} nud permanent`,
    `route add ${plan.pods(family, far)} via ${plan.vtep(family, far)} dev ${dev} onlink`,
  )
  host.bridge.push(`fdb add ${mac(far)} dev ${dev} dst ${nodes[far - 1]?.addresses[0]}`)
}

/** Without what is empty; lines of `ip` in the family's own list. */
export function finish(net: Net, name: string, probes: Scenario['probes'], nominal: boolean): Scenario {
  const six = net.family === 6
  const spaces = net.spaces.map((s): [string, Space] => [
    s.name,
    {
      kind: s.kind,
      ...(s.node !== undefined && { node: s.node }),
      ...(s.ips.length > 0 && { ips: s.ips }),
      [six ? 'ip6' : 'ip']: s.ip,
      ...(s.bridge.length > 0 && { bridge: s.bridge }),
      ...(s.sysctl.length > 0 && { sysctl: s.sysctl }),
      ...(s.ipset.length > 0 && { ipset: s.ipset }),
      ...(s.iptablesLegacy.length > 0 && { [six ? 'ip6tablesLegacy' : 'iptablesLegacy']: s.iptablesLegacy }),
      ...(s.iptablesNft.length > 0 && { [six ? 'ip6tablesNft' : 'iptablesNft']: s.iptablesNft }),
      ...(s.nft.length > 0 && { nft: s.nft }),
    },
  ])
  return {
    name,
    family: net.family,
    spaces: Object.fromEntries(spaces),
    wires: net.wires,
    tcp: tcpPorts,
    udp: udpPorts,
    probes,
    ...(nominal && { nominal }),
  }
}
