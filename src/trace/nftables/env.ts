import type { Link } from '../../kernel/link/types.ts'
import type { NftEnv, NftHook, Routing } from '../../kernel/nftables/env.ts'
import type { NftElement } from '../../kernel/nftables/expression-types.ts'
import type { NftSet, NftTable } from '../../kernel/nftables/types.ts'
import { PacketEnv } from '../netfilter/packet-env.ts'
import { pickByHash, type Run, type Skb, Undecided } from '../run.ts'

/** What the expressions of a table may ask about a packet of the walk. */
export class NftWalkEnv extends PacketEnv implements NftEnv {
  readonly hook: NftHook
  readonly table: NftTable
  readonly inDevice: Link | undefined
  readonly outDevice: Link | undefined

  constructor(run: Run, skb: Skb, hook: NftHook, table: NftTable) {
    super(run, skb)
    this.hook = hook
    this.table = table
    const unnamed = hook === 'OUTPUT' || hook === 'EGRESS' || (hook === 'POSTROUTING' && skb.bridged?.out !== undefined)
    this.inDevice = unnamed ? undefined : skb.place.links.get(skb.inDevice)
    this.outDevice = hook === 'PREROUTING' || hook === 'INPUT' || hook === 'INGRESS' ? undefined : skb.place.links.get(skb.outDevice)
  }

  get priority(): number {
    return this.skb.priority ?? 0
  }

  routing(): Routing {
    const { place, packet } = this.skb
    this.needRoutes()
    return { index: place.routes[packet.family], rules: place.host.rules[packet.family], links: place.host.links ?? [] }
  }

  elements(set: string): NftSet['elements'] {
    const known = this.table.sets.get(set)
    if (!known) throw new Undecided(this.skb.place.label, `${this.skb.place.host.nft?.file}: table ${this.table.name} has no set ${set}`)
    return known.elements
  }

  pick(weights: readonly number[], what: string): number {
    return this.run.choices.pick(weights, what)
  }

  hash(arms: number, what: string): number {
    return pickByHash(this.run, `${this.skb.place.id} ${what}`, Array<number>(arms).fill(1 / arms), what)
  }

  added(set: string): ReadonlyMap<string, NftElement | null> | undefined {
    const known = this.table.sets.get(set)
    return known && this.run.sets.get(known)
  }
}
