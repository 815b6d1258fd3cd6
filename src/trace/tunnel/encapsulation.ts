/** Devices that wrap packets, by kind: into the tunnel and out of it. */
import type { Link } from '../../kernel/link/types.ts'
import { isTunnel } from '../../kernel/link/types.ts'
import type { Ip } from '../../net/ip.ts'
import { type End, type Run, type Skb, Undecided, type Ways } from '../run.ts'
import * as ipip from './ipip.ts'
import * as vxlan from './vxlan.ts'
import * as wireguard from './wireguard.ts'

/** Sends a packet by a tunnel device; undefined if the device is none. */
export function encapsulate(run: Run, skb: Skb, link: Link, nextHop: Ip, ways: Ways): End | undefined {
  if (link.vxlan) return vxlan.encapsulate(run, skb, link, nextHop, ways)
  if (link.kind === 'ipip') return ipip.encapsulate(run, skb, link, nextHop, ways)
  if (link.kind === 'wireguard') return wireguard.encapsulate(run, skb, link, ways)
  if (isTunnel(link)) throw new Undecided(skb.place.label, `${link.kind} device ${link.name} is not modelled`)
  return undefined
}

/** An outer packet has come through INPUT of the host that it is for. */
export function decapsulate(run: Run, skb: Skb, ways: Ways): End {
  const { tunnel } = skb.packet
  switch (tunnel?.kind) {
    case 'vxlan':
      return vxlan.decapsulate(run, skb, tunnel, ways)
    case 'ipip':
      return ipip.decapsulate(run, skb, ways)
    case 'wireguard':
      return wireguard.decapsulate(run, skb, tunnel, ways)
    case undefined:
      return { kind: 'arrived', skb }
  }
}
