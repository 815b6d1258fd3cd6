/** Random IPIP and WireGuard between two nodes, whole or with something amiss. */
import type { Draft, Net } from '../fuzz/topology.ts'
import type { Random } from '../kernel/random.ts'

/** What a tunnel needs beyond `ip`: shell lines, as keys are made where they are used. */
export type Extra = readonly string[]

const podsOf = (net: Net, n: number) => (net.family === 4 ? `10.244.${n}.0/24` : `fd44:${n}::/64`)
const vtepOf = (net: Net, n: number) => (net.family === 4 ? `10.244.${n}.0` : `fd44:${n}::`)
const host = (net: Net) => (net.family === 4 ? 32 : 128)
const quiet = (net: Net) => (net.family === 6 ? ' nodad' : '')

/** IPIP as Felix and BIRD have it, or with fixed ends; now and then only at one end, or cross-subnet: only some of the routes. */
export function addIpip(r: Random, net: Net, [a, b]: readonly [Draft, Draft]): void {
  const fixed = r.chance(0.3)
  const dev = fixed ? 'ipt' : 'tunl0'
  for (const [n, near, far] of [
    [1, a, b],
    [2, b, a],
  ] as const) {
    if (r.chance(0.06)) continue
    const [own] = near.addresses
    const there = far.addresses[0]
    if (fixed) {
      const ttl = r.chance(0.2) ? ` ttl ${r.pick([1, 2, 64])}` : ' ttl inherit nopmtudisc'
      near.ip.push(`link add ipt type ipip local ${own}${r.chance(0.9) ? ` remote ${there}` : ''}${ttl}`)
    }
    near.devices.push(dev)
    if (r.chance(0.9)) near.ip.push(`addr add ${vtepOf(net, n)}/${host(net)} dev ${dev}`)
    if (r.chance(0.95)) near.ip.push(`link set ${dev} up`)
    if (fixed && r.chance(0.3)) near.ip.push('link set tunl0 up')
    const way = fixed ? `dev ${dev}` : `via ${r.chance(0.95) ? there : r.pick(far.addresses)} dev ${dev} onlink`
    // a route of a device that is down is refused: it is not put
    const up = near.ip.includes(`link set ${dev} up`)
    if (!up) continue
    if (r.chance(0.8)) near.ip.push(`route replace ${podsOf(net, 3 - n)} ${way}`)
    else near.ip.push(`route add ${podsOf(net, 3 - n).replace(/0\/24$/, `${2 + r.below(3)}/32`)} ${way}`)
  }
}

/** WireGuard as Felix has it; now and then with another peer's allowed addresses, a key nobody has, no rule, no mark. */
export function addWireguard(r: Random, net: Net, [a, b]: readonly [Draft, Draft]): ReadonlyMap<string, Extra> {
  const out = new Map<string, Extra>()
  const outer = r.chance(0.85)
  for (const [n, near, far] of [
    [1, a, b],
    [2, b, a],
  ] as const) {
    if (r.chance(0.05)) continue
    near.devices.push('wg0')
    near.ip.push('link add wg0 type wireguard')
    if (r.chance(0.8)) near.ip.push(`addr add ${vtepOf(net, n)}/${host(net)} dev wg0${quiet(net)}`)
    near.ip.push('link set wg0 up')
    near.ip.push(`route add ${podsOf(net, 3 - n)} dev wg0 table 1`)
    if (r.chance(0.7)) near.ip.push(`route add throw ${podsOf(net, n)} table 1`)
    if (r.chance(0.2)) near.ip.push(`route add ${r.pick(net.nobody)}/${host(net)} dev wg0 table 1`)
    if (r.chance(0.95)) near.ip.push('rule add pref 99 not fwmark 0x200000/0x200000 lookup 1')
    // the outer packets are of the other family now and then: there is none of it here, so they go nowhere
    const endpoint = outer ? `${net.family === 4 ? far.addresses[0] : `[${far.addresses[0]}]`}:51820` : undefined
    const allowed = r.pick([
      podsOf(net, 3 - n),
      podsOf(net, 3 - n),
      podsOf(net, 3 - n),
      `${podsOf(net, 3 - n)},${far.addresses[0]}/${host(net)}`,
      `${vtepOf(net, 3 - n)}/${host(net)}`,
      net.family === 4 ? '0.0.0.0/0' : '::/0',
      net.prefixes.find((p) => p.startsWith(net.family === 4 ? '10.244.0.0' : 'fd44::/')) as string,
    ])
    const stranger = r.chance(0.2)
      ? [`peer $(key nobody | wg pubkey) allowed-ips ${podsOf(net, 3 - n).replace(/0\/24$|\/64$/, net.family === 4 ? '2/32' : '2/128')}`]
      : []
    const key = r.chance(0.04) ? 'other' : `n${n}`
    const peer = r.chance(0.96)
      ? [`peer $(key n${3 - n} | wg pubkey) allowed-ips ${allowed}${endpoint === undefined ? '' : ` endpoint ${endpoint}`}`]
      : []
    out.set(near.name, [
      'key() ( printf %-32s "$1" | base64 )',
      `key ${key} | wg set wg0 private-key /dev/stdin listen-port 51820 fwmark ${r.chance(0.95) ? '0x200000' : '0'} ${[...peer, ...stranger].join(' ')}`,
    ])
  }
  return out
}
