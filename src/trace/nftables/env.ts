import type { CtView } from '../../kernel/iptables/env.ts'
import type { Link } from '../../kernel/link/types.ts'
import type { NftEnv, NftHook, Routing } from '../../kernel/nftables/env.ts'
import type { NftElement } from '../../kernel/nftables/expression-types.ts'
import type { NftSet, NftTable } from '../../kernel/nftables/types.ts'
import type { Packet } from '../../net/packet.ts'
import { viewOf } from '../conntrack/entry.ts'
import { pickByHash, type Run, type Skb, Undecided } from '../run.ts'
import { socketOwner } from '../socket-owner.ts'

/** What the expressions of a table may ask about a packet of the walk. */
export class NftWalkEnv implements NftEnv {
  readonly hook: NftHook
  readonly table: NftTable
  readonly inDevice: Link | undefined
  readonly outDevice: Link | undefined
  readonly localSender: boolean
  readonly #run: Run
  readonly #skb: Skb

  constructor(run: Run, skb: Skb, hook: NftHook, table: NftTable) {
    this.#run = run
    this.#skb = skb
    this.hook = hook
    this.table = table
    const unnamed = hook === 'OUTPUT' || hook === 'EGRESS' || (hook === 'POSTROUTING' && skb.bridged?.out !== undefined)
    this.inDevice = unnamed ? undefined : skb.place.links.get(skb.inDevice)
    this.outDevice = hook === 'PREROUTING' || hook === 'INPUT' || hook === 'INGRESS' ? undefined : skb.place.links.get(skb.outDevice)
    this.localSender = socketOwner(skb) === 'process'
  }

  get packet(): Packet {
    return this.#skb.packet
  }

  get mark(): number {
    return this.#skb.mark
  }

  get priority(): number {
    return this.#skb.priority ?? 0
  }

  get ct(): CtView {
    return viewOf(this.#skb.ct)
  }

  routing(): Routing {
    const { place, packet } = this.#skb
    const { host } = place
    if (!host.routes[packet.family])
      throw new Undecided(place.label, `${host.dir}/ip-route.json is missing: which addresses are ${place.label}'s own is not known`)
    return { index: place.routes[packet.family], rules: host.rules[packet.family], links: host.links ?? [] }
  }

  elements(set: string): NftSet['elements'] {
    const known = this.table.sets.get(set)
    if (!known) throw new Undecided(this.#skb.place.label, `${this.#skb.place.host.nft?.file}: table ${this.table.name} has no set ${set}`)
    return known.elements
  }

  pick(weights: readonly number[], what: string): number {
    return this.#run.choices.pick(weights, what)
  }

  hash(arms: number, what: string): number {
    return pickByHash(this.#run, `${this.#skb.place.id} ${what}`, Array<number>(arms).fill(1 / arms), what)
  }

  added(set: string): ReadonlyMap<string, NftElement | null> | undefined {
    const known = this.table.sets.get(set)
    return known && this.#run.sets.get(known)
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
