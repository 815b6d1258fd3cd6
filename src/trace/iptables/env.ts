import type { Ipset } from '../../kernel/ipset/types.ts'
import type { AddressType, CtView, Hook, IpvsView, MatchEnv } from '../../kernel/iptables/env.ts'
import { addressType } from '../../kernel/route/address-type.ts'
import { reversePathMatch } from '../../kernel/route/reverse-path.ts'
import type { Ip } from '../../net/ip.ts'
import type { Packet } from '../../net/packet.ts'
import { viewOf } from '../conntrack/entry.ts'
import { findAnswer, ipvsHeaders, reversed } from '../ipvs/connections.ts'
import { findSocket } from '../listeners.ts'
import { ipvsConnectionsOf, type Run, type Skb, Undecided } from '../run.ts'
import { socketOwner } from '../socket-owner.ts'

/** What the matches of a hook's tables may ask about a packet of the walk. A class, as one is made for every hook of every packet. */
export class WalkEnv implements MatchEnv {
  readonly hook: Hook
  readonly inDevice: string
  readonly outDevice: string
  readonly localSender: boolean
  readonly controlSocket: boolean
  readonly #run: Run
  readonly #skb: Skb

  constructor(run: Run, skb: Skb, hook: Hook) {
    this.#run = run
    this.#skb = skb
    this.hook = hook
    // ip_output hands the device that a forwarded packet came in by to POSTROUTING, too (since Linux 5.7), br_nf_post_routing does not
    this.inDevice = hook === 'OUTPUT' || (hook === 'POSTROUTING' && skb.bridged?.out !== undefined) ? '' : skb.inDevice
    this.outDevice = hook === 'PREROUTING' || hook === 'INPUT' ? '' : skb.outDevice
    this.localSender = socketOwner(skb) === 'process'
    this.controlSocket = socketOwner(skb) === 'kernel'
  }

  get packet(): Packet {
    return this.#skb.packet
  }

  get mark(): number {
    return this.#skb.mark
  }

  get bridged(): MatchEnv['bridged'] {
    return this.#skb.bridged
  }

  get ct(): CtView {
    return viewOf(this.#skb.ct)
  }

  get ipvs(): IpvsView | undefined {
    const { ipvs, packet, place } = this.#skb
    if (!ipvs) return undefined
    const headers = ipvsHeaders(packet)
    const conn = headers && findAnswer(ipvsConnectionsOf(this.#run, place), reversed(headers))
    if (!conn) return { connection: undefined }
    const { virtual, method } = conn
    const port = virtual.port.lo === virtual.port.hi ? virtual.port.lo : undefined
    return { connection: { virtual: virtual.ip, port, method: methods[method] } }
  }

  addressType(address: Ip, device?: string): AddressType {
    const { place, packet } = this.#skb
    this.#needRoutes()
    return addressType(place.routes[packet.family], place.host.links ?? [], address, device, place.host.rules[packet.family])
  }

  ipset(name: string): Ipset | undefined {
    const { place } = this.#skb
    if (!place.host.ipsets)
      throw new Undecided(place.label, `${place.host.dir}/ipset-save.txt is missing: who is in set ${name} is not known`)
    return place.host.ipsets.sets.get(name)
  }

  reversePath(options: { readonly loose: boolean; readonly validMark: boolean; readonly acceptLocal: boolean }): boolean {
    const { place, packet, inDevice: device, mark } = this.#skb
    this.#needRoutes()
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

  /** What is local, and what way leads back, is for the routing tables to say. */
  #needRoutes(): void {
    const { place, packet } = this.#skb
    if (!place.host.routes[packet.family]) {
      throw new Undecided(place.label, `${place.host.dir}/ip-route.json is missing: which addresses are ${place.label}'s own is not known`)
    }
  }

  recent(name: string): ReadonlyMap<string, readonly number[]> | undefined {
    return this.#skb.place.host.recent?.get(name)
  }

  hasSocket(): boolean | undefined {
    const socket = findSocket(this.#run, this.#skb.place, this.#skb.packet)
    return socket && socket.kind === 'open'
  }

  chance(p: number, what: string): boolean {
    return this.#run.choices.chance(p, what)
  }

  unknown(reason: string): boolean {
    return this.#run.choices.unknown(`${this.#skb.place.label}: ${reason}`)
  }

  assume(what: string): void {
    this.#run.assumptions.add(what)
  }
}

const methods = { masquerade: 'MASQ', tunnel: 'IPIP', route: 'GATE' } as const
