/** Cryptokey routing: which peer an address belongs to (drivers/net/wireguard/allowedips.c). */
import { type Family, formatPrefix, type Ip, prefix } from '../../net/ip.ts'
import type { WireguardDevice, WireguardPeer } from './types.ts'

/** prefix lengths of one family, longest first, each with its prefixes as text */
type Lengths = readonly (readonly [length: number, peers: ReadonlyMap<string, WireguardPeer>])[]

const indexes = new WeakMap<WireguardDevice, Readonly<Record<Family, Lengths>>>()

/** The peer with the longest allowed prefix around the address. */
export function peerFor(device: WireguardDevice, ip: Ip): WireguardPeer | undefined {
  let index = indexes.get(device)
  if (!index) indexes.set(device, (index = { 4: lengthsOf(device, 4), 6: lengthsOf(device, 6) }))
  for (const [length, peers] of index[ip.family]) {
    const found = peers.get(formatPrefix(prefix(ip, length)))
    if (found) return found
  }
  return undefined
}

/** A prefix belongs to one peer only: in the kernel, to the one that it was given last. */
function lengthsOf(device: WireguardDevice, family: Family): Lengths {
  const byLength = new Map<number, Map<string, WireguardPeer>>()
  for (const peer of device.peers) {
    for (const p of peer.allowed) {
      if (p.ip.family !== family) continue
      let peers = byLength.get(p.length)
      if (!peers) byLength.set(p.length, (peers = new Map()))
      peers.set(formatPrefix(p), peer)
    }
  }
  return [...byLength].sort(([x], [y]) => y - x)
}
