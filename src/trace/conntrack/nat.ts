/** What a NAT target writes into the connection's entry: nf_nat_core.c, xt_nat.c, nf_nat_masquerade.c, nf_nat_redirect.c. */
import type { Hook } from '../../kernel/iptables/env.ts'
import { inRange, natAddress } from '../../kernel/iptables/nat-address.ts'
import type { NatRange, Target } from '../../kernel/iptables/types.ts'
import { masqueradeSource } from '../../kernel/route/source-address.ts'
import { fromWords, type Ip, ip } from '../../net/ip.ts'
import type { PortRange } from '../../net/packet.ts'
import { conntrackOf, type Run, type Skb, Undecided } from '../run.ts'
import type { Entry } from './entry.ts'
import { manipOf, mapDestination, mapSource, renumber } from './nat-mapping.ts'

export type NatTarget = Extract<Target, { kind: 'nat' }>

/** any unprivileged port: what `--random-fully` may pick */
const anyPort: PortRange = { lo: 1024, hi: 65535 }

/**
 * Carries out a NAT rule on a connection's first packet: sets the mapping; the packet itself is rewritten by `translate`.
 * False: the kernel drops the packet, since there is no address to translate it to.
 */
export function mapByRule(run: Run, skb: Skb, hook: Hook, target: NatTarget): boolean {
  if (skb.ct.kind !== 'entry') return true
  const { entry } = skb.ct
  const random = target.flags.some((f) => f.startsWith('--random'))
  if (!mapAddress(run, skb, entry, hook, target, random)) return false
  if (random && skb.packet.icmp) renumber(entry, manipOf(hook), conntrackOf(run, skb.place).spareId(entry))
  return true
}

function mapAddress(run: Run, skb: Skb, entry: Entry, hook: Hook, target: NatTarget, random: boolean): boolean {
  const { packet, place } = skb
  const ports = packet.sport ? (target.to?.ports ?? (random ? anyPort : undefined)) : undefined
  switch (target.target) {
    case 'MASQUERADE': {
      const address = masqueradeSource(place.host.links ?? [], packet.family, skb.outDevice, packet.dst, skb.gateway)
      if (!address) return false
      mapSource(entry, address, ports)
      return true
    }
    case 'SNAT': {
      const { from, to = from, ports: wanted } = target.to ?? {}
      const kept = !random && !wanted && from && to && inRange(packet.src, from, to)
      mapSource(
        entry,
        from && to && !kept ? natAddress(from, to, packet.src, packet.dst, 'SRC', target.flags.includes('--persistent')) : packet.src,
        ports,
      )
      return true
    }
    case 'DNAT': {
      const { from, to = from } = target.to ?? {}
      const address = from && to ? natAddress(from, to, packet.src, packet.dst, 'DST', target.flags.includes('--persistent')) : packet.dst
      mapDestination(entry, address, destinationPort(run, skb, target.to, random))
      return true
    }
    case 'REDIRECT': {
      const own = hook === 'OUTPUT' ? ip(packet.family === 4 ? '127.0.0.1' : '::1') : firstAddress(skb)
      if (!own) return false
      mapDestination(entry, own, destinationPort(run, skb, target.to, random))
      return true
    }
    case 'NETMAP': {
      const to = target.to?.prefix
      if (!to) return true
      const destination = manipOf(hook) === 'DST'
      const old = destination ? packet.dst : packet.src
      const mix = (n: number, o: number, m: number) => (n & m) | (o & ~m)
      const mapped = fromWords(
        packet.family,
        mix(to.ip.a, old.a, to.ma),
        mix(to.ip.b, old.b, to.mb),
        mix(to.ip.c, old.c, to.mc),
        mix(to.ip.d, old.d, to.md),
      )
      if (destination) mapDestination(entry, mapped, undefined)
      else mapSource(entry, mapped, undefined)
      return true
    }
  }
}

/**
 * The new destination port (nf_nat_l4proto_unique_tuple): one that is in the range stays, others become its first; with a base the range
 * is moved as a whole; `--random` takes any.
 */
function destinationPort(run: Run, skb: Skb, to: NatRange | undefined, random: boolean): PortRange | undefined {
  const { dport } = skb.packet
  if (!to?.ports || !dport || dport.lo !== dport.hi) return dport && to?.ports
  const { lo, hi } = to.ports
  const size = hi - lo + 1
  if (random && size > 1) {
    if (size > 256) throw new Undecided(skb.place.label, `a random port out of ${size} is not followed`)
    const at = lo + run.choices.pick(Array<number>(size).fill(1 / size), `one of ${size} ports`)
    return { lo: at, hi: at }
  }
  if (to.basePort === undefined) return dport.lo >= lo && dport.lo <= hi ? dport : { lo, hi: lo }
  const at = lo + ((((dport.lo - to.basePort) % size) + size) % size)
  return { lo: at, hi: at }
}

/** The first of the device's list, of whatever scope (nf_nat_redirect_ipv4, nf_nat_redirect_ipv6 for a global destination). */
function firstAddress(skb: Skb): Ip | undefined {
  const link = skb.place.links.get(skb.inDevice)
  return link?.addresses.find((a) => a.ip.family === skb.packet.family)?.ip
}
