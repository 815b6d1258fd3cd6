import type { Ipset } from '../../kernel/ipset/types.ts'
import type { AddressType, Hook, IpvsView, MatchEnv, RecentEntry } from '../../kernel/iptables/env.ts'
import { addressType } from '../../kernel/route/address-type.ts'
import { reversePathMatch } from '../../kernel/route/reverse-path.ts'
import type { Ip } from '../../net/ip.ts'
import { findAnswer, ipvsHeaders, reversed } from '../ipvs/connections.ts'
import { findSocket } from '../listeners.ts'
import { PacketEnv } from '../netfilter/packet-env.ts'
import { ipvsConnectionsOf, type Run, type Skb, Undecided } from '../run.ts'
import { socketOwner } from '../socket-owner.ts'

/** What the matches of a hook's tables may ask about a packet of the walk. */
export class WalkEnv extends PacketEnv implements MatchEnv {
  readonly hook: Hook
  readonly inDevice: string
  readonly outDevice: string
  readonly controlSocket: boolean

  constructor(run: Run, skb: Skb, hook: Hook) {
    super(run, skb)
    this.hook = hook
    // ip_output hands the device that a forwarded packet came in by to POSTROUTING, too (since Linux 5.7), br_nf_post_routing does not
    this.inDevice = hook === 'OUTPUT' || (hook === 'POSTROUTING' && skb.bridged?.out !== undefined) ? '' : skb.inDevice
    this.outDevice = hook === 'PREROUTING' || hook === 'INPUT' ? '' : skb.outDevice
    this.controlSocket = socketOwner(skb) === 'kernel'
  }

  get bridged(): MatchEnv['bridged'] {
    return this.skb.bridged
  }

  get ipvs(): IpvsView | undefined {
    const { ipvs, packet, place } = this.skb
    if (!ipvs) return undefined
    const headers = ipvsHeaders(packet)
    const conn = headers && findAnswer(ipvsConnectionsOf(this.run, place), reversed(headers))
    if (!conn) return { connection: undefined }
    const { virtual, method } = conn
    const port = virtual.port.lo === virtual.port.hi ? virtual.port.lo : undefined
    return { connection: { virtual: virtual.ip, port, method: methods[method] } }
  }

  addressType(address: Ip, device?: string): AddressType {
    const { place, packet } = this.skb
    this.needRoutes()
    return addressType(place.routes[packet.family], place.host.links ?? [], address, device, place.host.rules[packet.family])
  }

  ipset(name: string): Ipset | undefined {
    const { place } = this.skb
    if (!place.host.ipsets)
      throw new Undecided(place.label, `${place.host.dir}/ipset-save.txt is missing: who is in set ${name} is not known`)
    return place.host.ipsets.sets.get(name)
  }

  reversePath(options: { readonly loose: boolean; readonly validMark: boolean; readonly acceptLocal: boolean }): boolean {
    const { place, packet, inDevice: device, mark } = this.skb
    this.needRoutes()
    const { family, src, dst } = packet
    const unknown = (reason: string) => this.unknown(reason)
    return reversePathMatch(place.routes[family], place.host.rules[family], place.host.links ?? [], {
      family,
      src,
      dst,
      device,
      mark,
      ...options,
      unknown,
    })
  }

  recent(list: string, address: Ip): RecentEntry | undefined {
    const { place } = this.skb
    const kept = this.run.recent.get(`${place.id} ${list} ${address.text}`)
    if (kept !== undefined) return kept ?? undefined
    const dumped = place.host.recent?.get(list)
    const stamps = dumped?.get(address.text)
    return dumped && !stamps ? undefined : { stamps, now: 0 }
  }

  keepRecent(list: string, address: Ip, entry: RecentEntry | undefined): void {
    this.run.recent.set(`${this.skb.place.id} ${list} ${address.text}`, entry ?? null)
  }

  get clock(): MatchEnv['clock'] {
    const { clock, dir } = this.skb.place.host
    if (!clock) return { unknown: `${dir}/jiffies.txt is missing` }
    const { jiffies, hz } = clock
    return hz === undefined ? { unknown: `${dir}/jiffies.txt does not tell how many jiffies a second has` } : { jiffies, hz }
  }

  hasSocket(): boolean | undefined {
    const socket = findSocket(this.run, this.skb.place, this.skb.packet)
    return socket && socket.kind === 'open'
  }
}

const methods = { masquerade: 'MASQ', tunnel: 'IPIP', route: 'GATE' } as const
