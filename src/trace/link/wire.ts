/** What leaves by one device and comes in by another: the crossing itself. */
import { refuseToReceive } from '../mtu.ts'
import { passDevice } from '../programs.ts'
import { type End, newSkb, type Run, type Skb, type Ways } from '../run.ts'
import type { Place, Port } from '../world.ts'

/** Puts the packet on the wire: it arrives at the port with its headers only, if it is not too long for it. */
export function wire(run: Run, skb: Skb, to: Port, action: string, ways: Ways): End {
  return (
    cross(run, skb, to, action) ??
    // another namespace: mark and conntrack reference are scrubbed (skb_scrub_packet)
    ways.receive(run, newSkb(skb.packet, to.place, to.link.master ?? to.link.name))
  )
}

/** The crossing itself; what stops the packet at the other end. */
export function cross(run: Run, skb: Skb, to: Port, action: string): End | undefined {
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
  // what a port of a bridge or a bond hands on has met its own programs
  passDevice(to.place, to.link.name, 'in')
  return undefined
}

const sourceOf = (place: Place, device: string) => {
  const source = place.links.get(device)?.source
  return source ? { source } : {}
}
