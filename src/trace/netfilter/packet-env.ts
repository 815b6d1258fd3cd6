import type { Elapsed } from '../../kernel/elapsed.ts'
import type { CtView } from '../../kernel/iptables/env.ts'
import type { Packet } from '../../net/packet.ts'
import { viewOf } from '../conntrack/entry.ts'
import { type Run, type Skb, Undecided } from '../run.ts'
import { socketOwner } from '../socket-owner.ts'
import { elapsedOf } from '../world.ts'

/** What tables of iptables and of nft alike may ask about a packet of the walk. A class, as one is made for every hook of every packet. */
export abstract class PacketEnv {
  readonly localSender: boolean
  protected readonly run: Run
  protected readonly skb: Skb

  constructor(run: Run, skb: Skb) {
    this.run = run
    this.skb = skb
    this.localSender = socketOwner(skb) === 'process'
  }

  get packet(): Packet {
    return this.skb.packet
  }

  get mark(): number {
    return this.skb.mark
  }

  get ct(): CtView {
    return viewOf(this.skb.ct)
  }

  get elapsed(): Elapsed {
    return elapsedOf(this.run.world, this.skb.place)
  }

  chance(p: number, what: string): boolean {
    return this.run.choices.chance(p, what)
  }

  unknown(reason: string): boolean {
    return this.run.choices.unknown(`${this.skb.place.label}: ${reason}`)
  }

  assume(what: string): void {
    this.run.assumptions.add(what)
  }

  /** What is local, and what way leads back, is for the routing tables to say: without them the branch ends. */
  protected needRoutes(): void {
    const { place, packet } = this.skb
    if (!place.host.routes[packet.family]) {
      throw new Undecided(place.label, `${place.host.dir}/ip-route.json is missing: which addresses are ${place.label}'s own is not known`)
    }
  }
}
