/** A scenario from a seed: the network, the packets, then tables, sets, routes and settings made of the packets' own values. */
import { makeRandom } from '../kernel/random.ts'
import { makeIptables } from './iptables.ts'
import { makeNftables } from './nftables.ts'
import { makePlots } from './plots.ts'
import { makeProbes } from './probes.ts'
import { addRoutes, addSettings } from './routes.ts'
import type { Scenario } from './scenario.ts'
import { makeSets } from './sets.ts'
import { type Draft, type Family, finish, makeNet } from './topology.ts'
import { makePool, type Pool } from './values.ts'

export interface Wanted {
  readonly family?: Family
  /** only rules of this kind */
  readonly only?: 'iptables' | 'nft'
  readonly probes: number
  /** types of ipsets that this machine's kernel lacks, too */
  readonly allSets?: boolean
}

export function makeScenario(seed: number, wanted: Wanted): Scenario {
  const r = makeRandom(seed)
  const family = wanted.family ?? r.pick([4, 6] as const)
  const net = makeNet(r, family)
  const random = r.chance(0.2)
  const draw = makeProbes(r, net, random ? Math.ceil(wanted.probes / 2) : wanted.probes, 1)
  let nominal = false
  for (const space of net.spaces) {
    if (space.kind === 'wire') continue
    const pool = makePool(r, net, space, draw, random)
    // a next hop must be reached before routes of chance may get in its way
    const routable = space.ip.length
    if (addRoutes(pool, space)) nominal = true
    addSettings(r, net, space)
    const { lines, sets } = makeSets(r, net, pool, wanted.allSets ?? false)
    if (!r.chance(busy(space))) continue
    space.ipset.push(...lines)
    addRules(space, { ...pool, sets }, routable, wanted.only)
  }
  const times = random || nominal ? 24 : 1
  return finish(
    net,
    `${seed}`,
    draw.map((p) => ({ ...p, times })),
    nominal,
  )
}

/** Nodes have rules most of the time, others now and then. */
const busy = (space: Draft) => (space.kind === 'node' ? 0.9 : 0.2)

/** iptables by one backend, sometimes by both; native tables; or both kinds on the same hooks. */
function addRules(space: Draft, pool: Pool, routable: number, only: Wanted['only']): void {
  const { r } = pool
  const kind = only ?? r.pick(['iptables', 'iptables', 'nft', 'nft', 'both'] as const)
  if (kind !== 'iptables') space.nft.push(...makeNftables(pool))
  if (kind === 'nft') return
  const make = () => {
    const plots = makePlots(pool)
    space.ip.splice(routable, 0, ...plots.flatMap((plot) => plot.ip ?? []))
    space.ipset.push(...plots.flatMap((plot) => plot.ipset ?? []))
    return makeIptables(pool, plots)
  }
  const both = r.chance(0.06)
  const legacy = r.chance(0.45)
  if (legacy || both) space.iptablesLegacy.push(...make())
  if (!legacy || both) space.iptablesNft.push(...make())
}
