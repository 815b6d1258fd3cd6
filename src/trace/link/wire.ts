/** What leaves by one device and comes in by another: the crossing itself. */
import { refuseToReceive } from '../mtu.ts'
import { passDevice } from '../programs.ts'
import { type End, newSkb, type Run, type Skb, type Ways } from '../run.ts'
import type { Place, Port } from '../world.ts'

/** Puts the packet on the wire: it arrives at the port with its headers only, if it is not too long for it. */
export function wire(run: Run, skb: Skb, to: Port, action: string, ways: Ways): End {
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
  const refusal = refuseToReceive(run, to.place, to.link, skb.packet)
  if (refusal) return { kind: 'dropped', skb, blame: refusal }
  // a port of a bridge has programs of its own
  passDevice(to.place, to.link.name, 'in')
  // another namespace: mark and conntrack reference are scrubbed (skb_scrub_packet)
  return ways.receive(run, newSkb(skb.packet, to.place, receivingDevice(to)))
}

const sourceOf = (place: Place, device: string) => {
  const source = place.links.get(device)?.source
  return source ? { source } : {}
}

/** A port of a bridge hands its packets to the bridge device. */
const receivingDevice = (port: Port): string => port.link.master ?? port.link.name
