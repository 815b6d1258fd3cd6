/** Where packets were to be seen: what a watcher at the hooks of each host meets, for `netctl trace --verify`. */
import type { Packet } from '../net/packet.ts'
import type { Run, Skb } from './run.ts'

/** One packet in one host, from where it comes in or is sent to where it leaves or ends. */
export interface Leg {
  /** `node/n1`, `pod/shop/web-1` */
  readonly host: string
  readonly way: 'request' | 'reply'
  /** the first hook that it meets: it came in, or the host sends it */
  readonly hook: 'prerouting' | 'output'
  /** as it stands there */
  readonly packet: Packet
  /** the device that it came in by */
  readonly device?: string
  /** how it left the last hook, if it did */
  readonly end?: { readonly hook: 'postrouting' | 'input'; readonly packet: Packet; readonly device?: string }
  /** its hops in those of the request or reply: from this one on, up to but not including `to` */
  readonly from: number
  readonly to: number
}

/** Legs while they are walked. */
export interface Legs {
  readonly all: Leg[]
  /** packets of the attempt whose steps have been taken: the request, its answer, the end of the handshake */
  taken: number
}

/** None yet. */
export const newLegs = (): Legs => ({ all: [], taken: 0 })

/** A packet is about to meet its first hook on this host; its hops begin at `from`. */
export function beginLeg({ legs, steps }: Run, { packet, place, inDevice }: Skb, hook: Leg['hook'], from = steps.length): void {
  if (!legs || legs.taken > 1) return
  close(legs, from)
  const way = legs.taken === 0 ? 'request' : 'reply'
  legs.all.push({ host: place.id, way, hook, packet, ...(inDevice !== '' && { device: inDevice }), from, to: Number.POSITIVE_INFINITY })
}

/** It went through its last hook there. */
export function endLeg({ legs }: Run, { packet, outDevice }: Skb, hook: 'postrouting' | 'input'): void {
  const leg = legs?.all.at(-1)
  if (!legs || !leg || legs.taken > 1) return
  legs.all[legs.all.length - 1] = { ...leg, end: { hook, packet, ...(hook === 'postrouting' && { device: outDevice }) } }
}

/** What was recorded of one packet of the attempt is taken: what follows is another's. */
export function takeLegs({ legs, steps }: Run): void {
  if (!legs) return
  close(legs, steps.length)
  legs.taken++
}

function close(legs: Legs, at: number): void {
  const leg = legs.all.at(-1)
  if (leg && leg.to === Number.POSITIVE_INFINITY) legs.all[legs.all.length - 1] = { ...leg, to: at }
}
