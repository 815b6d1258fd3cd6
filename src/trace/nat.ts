/** What a NAT target writes into the connection's entry: nf_nat_core.c, xt_nat.c, nf_nat_masquerade.c, nf_nat_redirect.c. */
import type { Hook } from '../kernel/iptables/env.ts'
import type { NatRange, Target } from '../kernel/iptables/types.ts'
import { masqueradeSource } from '../kernel/route/source-address.ts'
import { fromWords, type Ip, ip } from '../net/ip.ts'
import type { PortRange } from '../net/packet.ts'
import { mapDestination, mapSource } from './conntrack.ts'
import { type Run, type Skb, Undecided } from './run.ts'

export type NatTarget = Extract<Target, { kind: 'nat' }>

/** any unprivileged port: what `--random-fully` may pick */
const anyPort: PortRange = { lo: 1024, hi: 65535 }

/** Carries out a NAT rule on a connection's first packet: sets the mapping; the packet itself is rewritten by `translate`. */
export function mapByRule(run: Run, skb: Skb, hook: Hook, target: NatTarget): void {
  if (skb.ct.kind !== 'entry') return
  const { entry } = skb.ct
  const { packet, place } = skb
  const random = target.flags.some((f) => f.startsWith('--random'))
  const ports = packet.sport ? (target.to?.ports ?? (random ? anyPort : undefined)) : undefined
  switch (target.target) {
    case 'MASQUERADE': {
      const address = masqueradeSource(place.host.links ?? [], packet.family, skb.outDevice, packet.dst, skb.gateway)
      if (!address) throw new Undecided(place.label, `no address on ${skb.outDevice} of ${place.label} to masquerade with`)
      mapSource(entry, address, ports)
      return
    }
    case 'SNAT':
      mapSource(entry, pickAddress(run, skb, target.to) ?? packet.src, ports)
      return
    case 'DNAT':
      mapDestination(
        entry,
        pickAddress(run, skb, target.to) ?? packet.dst,
        target.to?.ports && packet.dport ? shifted(target.to, packet.dport) : undefined,
      )
      return
    case 'REDIRECT': {
      const own = hook === 'OUTPUT' ? ip(packet.family === 4 ? '127.0.0.1' : '::1') : firstAddress(skb)
      if (!own) throw new Undecided(place.label, `${skb.inDevice} of ${place.label} has no address to redirect to`)
      mapDestination(entry, own, target.to?.ports && packet.dport ? target.to.ports : undefined)
      return
    }
    case 'NETMAP': {
      const to = target.to?.prefix
      if (!to) return
      const old = hook === 'PREROUTING' || hook === 'OUTPUT' ? packet.dst : packet.src
      const mix = (n: number, o: number, m: number) => (n & m) | (o & ~m)
      const mapped = fromWords(
        packet.family,
        mix(to.ip.a, old.a, to.ma),
        mix(to.ip.b, old.b, to.mb),
        mix(to.ip.c, old.c, to.mc),
        mix(to.ip.d, old.d, to.md),
      )
      if (old === packet.dst) mapDestination(entry, mapped, undefined)
      else mapSource(entry, mapped, undefined)
    }
  }
}

/** `--to-destination A:5000-6000/7000` moves a port range; otherwise any port of the range. */
function shifted(to: NatRange, dport: PortRange): PortRange | undefined {
  if (!to.ports || to.basePort === undefined || dport.lo !== dport.hi) return to.ports
  const size = to.ports.hi - to.ports.lo + 1
  const at = to.ports.lo + ((((dport.lo - to.basePort) % size) + size) % size)
  return { lo: at, hi: at }
}

/** An address of a range is chosen by a hash with a secret: every one is an arm (find_best_ips_proto). */
function pickAddress(run: Run, skb: Skb, to: NatRange | undefined): Ip | undefined {
  if (!to?.from) return undefined
  const last = to.to ?? to.from
  const n = last.family === to.from.family ? (last.d >>> 0) - (to.from.d >>> 0) + 1 : 1
  if (n <= 1) return to.from
  if (n > 256) throw new Undecided(skb.place.label, `a NAT range of ${n} addresses is not followed`)
  const k = run.choices.pick(Array<number>(n).fill(1 / n), `one of ${n} addresses of a NAT range`)
  return fromWords(to.from.family, to.from.a, to.from.b, to.from.c, (to.from.d + k) | 0)
}

function firstAddress(skb: Skb): Ip | undefined {
  const link = skb.place.links.get(skb.inDevice)
  return link?.addresses.find((a) => a.ip.family === skb.packet.family && a.scope === 'global')?.ip
}
