/** Hooks of single devices (families netdev and inet: ingress, egress), and what a bridge's own tables may do. */
import { nativeChainsOf } from '../../kernel/nftables/native-chains.ts'
import { type BaseAtHook, basesAt } from '../nftables/bases.ts'
import { runBaseChain } from '../nftables/chains.ts'
import { type HookResult, passed, type Run, type Skb, Undecided } from '../run.ts'

/** A packet has come in by a device, before PREROUTING, or is about to leave by one, after POSTROUTING (nf_ingress, nf_hook_egress). */
export function runDeviceHook(run: Run, skb: Skb, hook: 'INGRESS' | 'EGRESS'): HookResult {
  const { place } = skb
  if (nativeChainsOf(place.host).length === 0) return passed
  const device = hook === 'INGRESS' ? skb.inDevice : skb.outDevice
  const bases = basesAt(place.host, skb.packet.family, hook)
    .filter((base) => isOn(base, device))
    .toSorted((x, y) => x.chain.base.priority - y.chain.base.priority || y.rank - x.rank)
  for (const base of bases) {
    const { table, chain } = base
    // the JSON of nft 1.0 leaves them out
    if (chain.base.devices.length === 0 && !run.choices.unknown(`which devices chain ${chain.name} of table ${table.name} is for`)) continue
    const end = runBaseChain(run, skb, hook, base)
    if (end.kind === 'drop') return end
    // nf_reject_netdev: the answer is made of the packet and sent back by the device, past all tables
    if (end.kind === 'reject') throw new Undecided(place.label, `reject at ${hook.toLowerCase()} of ${device} is not modelled`)
  }
  return place.links.get(device)?.kind === 'bridge' ? passBridge(run, skb, stations[hook]) : passed
}

/** The same on a bridge's port, for a frame that the bridge has from there or sends there. */
export function runPortHook(run: Run, skb: Skb, port: string, hook: 'INGRESS' | 'EGRESS'): HookResult {
  const { inDevice, outDevice } = skb
  if (hook === 'INGRESS') skb.inDevice = port
  else skb.outDevice = port
  const result = runDeviceHook(run, skb, hook)
  Object.assign(skb, { inDevice, outDevice })
  return result
}

const isOn = ({ chain }: BaseAtHook, device: string): boolean =>
  chain.base.devices.length === 0 || chain.base.devices.some((d) => (d.endsWith('*') ? device.startsWith(d.slice(0, -1)) : d === device))

const stations = { INGRESS: ['prerouting', 'input'], EGRESS: ['output', 'postrouting'] } as const

/** Tables of family bridge, which ebtables-nft writes too, are not modelled: both ways are followed. `at`: the hooks that a frame meets. */
export function passBridge(run: Run, { place }: Skb, at: readonly string[]): HookResult {
  for (const { file, table, chain } of nativeChainsOf(place.host)) {
    const { hook: station, policy, line } = chain.base
    if (table.family !== 'bridge' || !at.includes(station) || (chain.rules.length === 0 && policy === 'accept')) continue
    if (run.choices.unknown(`${place.label}: table bridge ${table.name} chain ${chain.name} is not modelled`)) continue
    const entry = `nft chain bridge ${table.name} ${chain.name}`
    return { kind: 'drop', blame: { place, kind: 'rule', entry, source: { file, line } } }
  }
  return passed
}
