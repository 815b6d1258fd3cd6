/** Hooks of single devices (families netdev and inet: ingress, egress), and what a bridge's own tables may do. */
import { type BaseAtHook, basesAt } from './nft-bases.ts'
import { runBaseChain } from './nft-chains.ts'
import { type HookResult, passed, type Run, type Skb, Undecided } from './run.ts'

/** A packet has come in by a device, before PREROUTING, or is about to leave by one, after POSTROUTING (nf_ingress, nf_hook_egress). */
export function runDeviceHook(run: Run, skb: Skb, hook: 'INGRESS' | 'EGRESS'): HookResult {
  const { place } = skb
  if (place.host.nftHooks.length === 0) return passed
  const device = hook === 'INGRESS' ? skb.inDevice : skb.outDevice
  const bases = basesAt(place.host, skb.packet.family, hook)
    .filter((base) => isOn(base, device))
    .toSorted((x, y) => (x.chain.base?.priority ?? 0) - (y.chain.base?.priority ?? 0) || y.rank - x.rank)
  for (const base of bases) {
    const { table, chain } = base
    // the JSON of nft 1.0 leaves them out
    if (chain.base?.devices.length === 0 && !run.choices.unknown(`which devices chain ${chain.name} of table ${table.name} is for`))
      continue
    const end = runBaseChain(run, skb, hook, base)
    if (end.kind === 'drop') return end
    // nf_reject_netdev: the answer is made of the packet and sent back by the device, past all tables
    if (end.kind === 'reject') throw new Undecided(place.label, `reject at ${hook.toLowerCase()} of ${device} is not modelled`)
  }
  return place.links.get(device)?.kind === 'bridge' ? passBridge(run, skb, hook) : passed
}

const isOn = ({ chain }: BaseAtHook, device: string): boolean =>
  chain.base?.devices.length === 0 ||
  chain.base?.devices.some((d) => (d.endsWith('*') ? device.startsWith(d.slice(0, -1)) : d === device)) === true

const stations = { INGRESS: ['prerouting', 'input'], EGRESS: ['output', 'postrouting'] } as const

/** Tables of family bridge see frames, not the packets of this walk: both ways are followed. */
function passBridge(run: Run, { place }: Skb, hook: 'INGRESS' | 'EGRESS'): HookResult {
  for (const h of place.host.nftHooks) {
    if (h.family !== 'bridge' || !stations[hook].some((s) => s === h.hook) || (h.rules === 0 && h.policy === 'accept')) continue
    if (run.choices.unknown(`${place.label}: table bridge ${h.table} chain ${h.chain} is not modelled`)) continue
    const entry = `nft chain bridge ${h.table} ${h.chain}`
    return { kind: 'drop', blame: { place, kind: 'rule', entry, source: { file: h.file, line: h.line } } }
  }
  return passed
}
