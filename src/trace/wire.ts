/** What leaves by one device and comes in by another: the crossing itself. */
import type { Link } from '../kernel/link/types.ts'
import type { Packet } from '../net/packet.ts'
import { passDevice } from './programs.ts'
import { newSkb, type Run, type Skb, Undecided } from './run.ts'
import type { Place, Port } from './world.ts'

/** Packets of named size that may be too long for a device at either end: path MTU is not part of this model. */
export function checkSize(place: Place, packet: Packet, link: Link): void {
  const size = sizeOf(packet)
  if (size !== undefined && size > link.mtu) {
    throw new Undecided(place.label, `a packet of ${size} bytes on ${link.name} (MTU ${link.mtu}): packet sizes are not modelled`)
  }
}

/** Bytes from the IP header on; a VXLAN packet adds 8 bytes each of UDP and VXLAN, and the inner Ethernet header (RFC 7348). */
function sizeOf(p: Packet): number | undefined {
  const header = p.family === 4 ? 20 : 40
  if (!p.tunnel) return p.payload === undefined ? undefined : header + 8 + p.payload
  const inner = p.inner && sizeOf(p.inner)
  return inner === undefined ? undefined : header + (p.tunnel.kind === 'vxlan' ? 8 + 8 + 14 : 0) + inner
}

/** Puts the packet on the wire: it arrives at the port with its headers only. */
export const wire = (run: Run, skb: Skb, to: Port, action: string): Skb => {
  checkSize(to.place, skb.packet, to.link)
  // a port of a bridge has programs of its own
  passDevice(to.place, to.link.name, 'in')
  run.steps.push({
    kind: 'entry',
    place: skb.place,
    stage: 'device',
    where: skb.outDevice,
    action,
    weight: 'passes',
    ...sourceOf(skb.place, skb.outDevice),
    device: skb.outDevice,
  })
  // another namespace: mark and conntrack reference are scrubbed (skb_scrub_packet)
  return newSkb(skb.packet, to.place, receivingDevice(to))
}

const sourceOf = (place: Place, device: string) => {
  const source = place.links.get(device)?.source
  return source ? { source } : {}
}

/** A port of a bridge hands its packets to the bridge device. */
const receivingDevice = (port: Port): string => port.link.master ?? port.link.name
