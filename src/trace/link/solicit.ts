/** IPv6 neighbour discovery is filtered like any packet (unlike ARP): who drops its own solicitations is deaf. RFC 4861 §7.2. */

import type { Hook } from '../../kernel/iptables/env.ts'
import type { Link } from '../../kernel/link/types.ts'
import { fromWords, type Ip, isLinkLocal } from '../../net/ip.ts'
import type { Packet } from '../../net/packet.ts'
import { runDeviceHook, runPortHook } from '../netfilter/device-hooks.ts'
import { runHook } from '../netfilter/hooks.ts'
import { newSkb, type Run, type Skb } from '../run.ts'
import type { Blame } from '../step.ts'
import type { Port } from '../world.ts'
import { callsNetfilter } from './bridge-netfilter.ts'
import { askerKey } from './neighbours.ts'

/** ff02::1:ffXX:XXXX (RFC 4291 §2.7.1) */
const solicitedNode = (ip: Ip): Ip => fromWords(6, 0xff020000 | 0, 0, 1, 0xff000000 | (ip.d & 0xffffff))

/** A bridge between the two, which may show netfilter what passes; `in`, `out`: the ports of who asks and who answers, absent for its own host. */
export interface Between {
  readonly bridge: Port
  readonly in: Link | undefined
  readonly out: Link | undefined
}

/**
 * Asks for the owner of an address and waits for its answer. What stops one of the two; undefined if both get through, or if the owner
 * has asked before: who hears a question knows the asker (ndisc_recv_ns).
 */
export function solicit(run: Run, skb: Skb, from: Port, target: Ip, to: Port, between?: Between): Blame | undefined {
  if (run.askers.has(askerKey(from, target))) return undefined
  // ndisc_solicit: the packet's own source if it is the device's, else the device's oldest link-local address, which stands last
  const own = from.link.addresses.find((a) => a.ip.text === skb.packet.src.text)
  const src = (own ?? from.link.addresses.findLast((a) => isLinkLocal(a.ip)))?.ip
  if (!src) return { place: from.place, kind: 'link', entry: `no link-local address on ${from.link.name} to ask for ${target.text} from` }
  const base = { family: 6, proto: 'icmpv6', ttl: 255 } as const
  const question: Packet = { ...base, src, dst: solicitedNode(target), icmp: { type: 135, code: 0 } }
  const answer: Packet = { ...base, src: target, dst: src, icmp: { type: 136, code: 0 } }
  const before = run.steps.length
  const unheard = deliver(run, from, to, question, between)
  if (!unheard) run.askers.add(askerKey(to, src))
  const blocked = unheard ?? deliver(run, to, from, answer, between && { ...between, in: between.out, out: between.in })
  // what lets neighbours find each other is no news
  if (!blocked) run.steps.length = before
  return blocked
}

function deliver(run: Run, from: Port, to: Port, packet: Packet, between: Between | undefined): Blame | undefined {
  const out = newSkb(packet, from.place, '')
  out.outDevice = from.link.name
  const into = newSkb(packet, to.place, to.link.name)
  const before = stop(run, out, 'OUTPUT') ?? stop(run, out, 'POSTROUTING') ?? stop(run, out, 'EGRESS')
  return (
    before ??
    (between && across(run, packet, between, into)) ??
    stop(run, into, 'INGRESS') ??
    (into.bridged ? undefined : stop(run, into, 'PREROUTING')) ??
    stop(run, into, 'INPUT')
  )
}

function stop(run: Run, skb: Skb, hook: Hook | 'INGRESS' | 'EGRESS'): Blame | undefined {
  const result = hook === 'EGRESS' || hook === 'INGRESS' ? runDeviceHook(run, skb, hook) : runHook(run, skb, hook)
  return result.kind === 'drop' || result.kind === 'reject' ? result.blame : undefined
}

/** Through the bridge; what is for its own host goes on as `into`. */
function across(run: Run, packet: Packet, { bridge, in: from, out: to }: Between, into: Skb): Blame | undefined {
  const frame = newSkb(packet, bridge.place, bridge.link.name)
  const port = (link: Link, hook: 'INGRESS' | 'EGRESS') => {
    const result = runPortHook(run, frame, link.name, hook)
    return result.kind === 'drop' ? result.blame : undefined
  }
  frame.outDevice = bridge.link.name
  const unseen = from && port(from, 'INGRESS')
  if (unseen) return unseen
  if (from && callsNetfilter(run, bridge, 6).calls) {
    frame.bridged = { in: from.name }
    const blame = stop(run, frame, 'PREROUTING')
    if (blame) return blame
    if (!to) Object.assign(into, { bridged: frame.bridged, mark: frame.mark, ct: frame.ct })
    else {
      frame.bridged = { in: from.name, out: to.name }
      const filtered = stop(run, frame, 'FORWARD') ?? stop(run, frame, 'POSTROUTING')
      if (filtered) return filtered
    }
  }
  return to && port(to, 'EGRESS')
}
