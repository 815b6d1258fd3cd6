/**
 * The lab of the kernel tests (netns-lab.ts) as a scenario for the emulated machine: the same hosts, addresses and words, one more pod.
 *
 *   p1, p3 ── cali1, cali3 ─ n1 ─ eth0 ── br0 (wire) ── eth0 ─ n2 ─ cali2, cali4 ── p2, p4
 *                             └── eth1 ── br1 (wire) ── eth1 ─┘          ext is on both bridges as well
 */
import type { Scenario, Space } from '../fuzz/scenario.ts'
import { forFamily, parseFlows, payloadOf, restoreText } from '../support/netns-case.ts'
import { addresses, tcpPorts, udpPorts } from '../support/netns-lab.ts'

const pods = { p1: 'n1', p3: 'n1', p2: 'n2', p4: 'n2' } as const
/** pods of a case with their nodes */
type Used = readonly (readonly [pod: string, node: string])[]
type Name = 'n1' | 'n2' | 'ext' | keyof typeof pods

/** What is changed on one host, in the words of the tools, one entry a line. */
export interface Setup {
  /** `ip -batch` */
  readonly ip?: string
  /** `KEY=VALUE` */
  readonly sysctl?: string
  /** `ipset restore` */
  readonly ipset?: string
  /** as in netns-case.ts: `TABLE -A CHAIN …` */
  readonly rules?: string
  /** `ipvsadm -R` */
  readonly ipvs?: string
  /** shell commands, last */
  readonly sh?: string
}

export interface VmCase {
  readonly name: string
  /** default both */
  readonly families?: readonly (4 | 6)[]
  readonly setup: Partial<Record<Name, Setup>>
  /** as in netns-case.ts */
  readonly flows: string
}

const lines = (text: string | undefined): string[] =>
  (text ?? '')
    .split('\n')
    .map((l) => l.trim())
    .filter((l) => l !== '')

/** Without the pods that the case does not name. IPv4 by legacy iptables, IPv6 by the nft variant. */
export function scenarioOf(c: VmCase, family: 4 | 6): Scenario {
  const text = JSON.stringify(c)
  const used = Object.entries(pods).filter(([pod]) => new RegExp(`\\b${pod}\\b`).test(text))
  const words = (text: string | undefined) => lines(forFamily(text ?? '', family))
  const space = (name: Name): Space => {
    const setup = c.setup[name] ?? {}
    const rules = setup.rules === undefined ? [] : lines(restoreText(forFamily(setup.rules, family)))
    return {
      kind: name in pods ? 'pod' : name === 'ext' ? 'external' : 'node',
      ...(name in pods && { node: pods[name as keyof typeof pods] }),
      ips: named(name) as readonly string[],
      ip: [...baseLines(name, family, used), ...words(setup.ip)],
      sysctl: [...baseSysctls(name, used), ...words(setup.sysctl)],
      ipset: words(setup.ipset),
      ...(rules.length > 0 && (family === 4 ? { iptablesLegacy: rules } : { ip6tablesNft: rules })),
      ...(setup.ipvs !== undefined && { ipvsadm: words(setup.ipvs) }),
      ...(setup.sh !== undefined && { commands: [{ argv: ['sh', '-e'], input: words(setup.sh).join('\n') }] }),
    }
  }
  return {
    name: `${c.name} (IPv${family})`,
    family,
    spaces: {
      wire: { kind: 'wire', ip: wireLines, sysctl: [] },
      ...Object.fromEntries((['n1', 'n2', 'ext', ...used.map(([pod]) => pod)] as Name[]).map((name) => [name, space(name)])),
    },
    wires: [
      ...(['n1', 'n2', 'ext'] as const).flatMap((h) => [
        { a: `${h}/eth0`, b: `wire/${h}a` },
        { a: `${h}/eth1`, b: `wire/${h}b` },
      ]),
      ...used.map(([pod, node]) => ({ a: `${pod}/eth0`, b: `${node}/cali${pod.slice(1)}` })),
    ],
    tcp: tcpPorts,
    udp: udpPorts,
    probes: parseFlows(forFamily(c.flows, family)).map((f) => ({
      from: f.from,
      proto: f.proto,
      dst: f.dst,
      times: f.times,
      ...(f.port !== undefined && { port: f.port }),
      ...(f.source !== undefined && { source: f.source }),
      ...payloadOf(f),
    })),
  }
}

const wireLines = [
  'link add br0 type bridge mcast_snooping 0',
  'link add br1 type bridge mcast_snooping 0',
  'link set br0 up',
  'link set br1 up',
  ...['n1', 'n2', 'ext'].flatMap((h) => [`link set ${h}a master br0 up`, `link set ${h}b master br1 up`]),
]

const named = (name: string): readonly [v4: string, v6: string] => {
  const pair = addresses[name]
  if (!pair) throw new Error(`no address is called ${name}`)
  return pair
}

/** only what the family needs: processes are dear in the emulated machine, and so are duplicate address checks */
function baseLines(name: Name, family: 4 | 6, used: Used): string[] {
  const of = (n: string) => named(n)[family === 4 ? 0 : 1]
  const own = family === 4 ? '32' : '128 nodad'
  if (name in pods) {
    const way =
      family === 4
        ? ['route add 169.254.1.1 dev eth0 scope link', 'route add default via 169.254.1.1 dev eth0']
        : ['route add default via fe80::1 dev eth0']
    return ['link set eth0 up', `addr add ${of(name)}/${own} dev eth0`, ...way]
  }
  const out = ['link set eth0 up', 'link set eth1 up']
  out.push(`addr add ${of(name)}/${family === 4 ? '24' : '64 nodad'} dev eth0`)
  out.push(`addr add ${of(`${name}b`)}/${family === 4 ? '24' : '64 nodad'} dev eth1`)
  for (const [pod, node] of used) {
    const dev = `cali${pod.slice(1)}`
    if (node !== name) continue
    out.push(`link set ${dev} up`, ...(family === 6 ? [`addr add fe80::1/64 dev ${dev} nodad`] : []), `route add ${of(pod)} dev ${dev}`)
  }
  if (name !== 'n1') out.push(`route add ${of('pods1')} via ${of('n1')}`)
  if (name !== 'n2') out.push(`route add ${of('pods2')} via ${of('n2')}`)
  if (name === 'ext') out.push(`route add ${of('svcs')} via ${of('n1')}`, `addr add ${of('far')}/${own} dev lo`)
  else out.push(`route add default via ${of('ext')}`)
  return out
}

function baseSysctls(name: Name, used: Used): string[] {
  const out = ['net.ipv4.conf.all.send_redirects=0', 'net.ipv4.conf.default.send_redirects=0']
  if (name !== 'n1' && name !== 'n2') return out
  out.push('net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1', 'net.ipv4.vs.conntrack=1')
  for (const [pod, node] of used) {
    const dev = `cali${pod.slice(1)}`
    if (node === name) out.push(`net.ipv4.conf.${dev}.proxy_arp=1`, `net.ipv4.neigh.${dev}.proxy_delay=0`)
  }
  return out
}
