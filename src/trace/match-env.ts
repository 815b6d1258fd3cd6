import type { Hook, MatchEnv } from '../kernel/iptables/env.ts'
import { addressType } from '../kernel/route/address-type.ts'
import { reversePathMatch } from '../kernel/route/reverse-path.ts'
import { viewOf } from './conntrack.ts'
import { findSocket } from './listeners.ts'
import { type Run, type Skb, Undecided } from './run.ts'

/** What the matches of a table may ask about a packet of the walk. */
export function matchEnv(run: Run, skb: Skb, hook: Hook): MatchEnv {
  const { place, packet } = skb
  const { host } = place
  const family = packet.family
  const out = hook === 'FORWARD' || hook === 'OUTPUT' || hook === 'POSTROUTING' ? skb.outDevice : ''
  const inn = hook === 'OUTPUT' || hook === 'POSTROUTING' ? '' : skb.inDevice
  return {
    packet,
    get mark() {
      return skb.mark
    },
    hook,
    inDevice: inn,
    outDevice: out,
    get ct() {
      return viewOf(skb.ct)
    },
    localSender: skb.inDevice === '',
    addressType: (address, device) => addressType(place.routes[family], host.links ?? [], address, device, host.rules[family]),
    ipset(name) {
      if (!host.ipsets) throw new Undecided(place.label, `${host.dir}/ipset-save.txt is missing: who is in set ${name} is not known`)
      return host.ipsets.sets.get(name)
    },
    reversePath: (options) =>
      reversePathMatch(place.routes[family], host.rules[family], host.links ?? [], {
        family, src: packet.src, dst: packet.dst, device: skb.inDevice, mark: skb.mark, ...options, unknown: (reason) => run.choices.unknown(`${place.label}: ${reason}`),
      }),
    recent: (name) => host.recent?.get(name),
    hasSocket: () => findSocket(run, place, packet)?.kind === 'open',
    chance: (p, what) => run.choices.chance(p, what),
    unknown: (reason) => run.choices.unknown(`${place.label}: ${reason}`),
    assume: (what) => {
      run.assumptions.add(what)
    },
  }
}
