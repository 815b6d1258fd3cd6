import type { Peer, Rule } from '../model.ts'
import { ICMP, SCTP, TCP, UDP } from '../protocols.ts'
import type { PolicyWorld } from '../world.ts'

/** Ports of one protocol that no policy tells apart: what holds for one of them holds for all. */
export interface PortClass {
  readonly protocol: number
  /** in order; empty: the protocol has no ports. ICMP stands for echo requests */
  readonly ranges: readonly PortRange[]
}

interface PortRange {
  readonly lo: number
  readonly hi: number
}

/** The port that is asked about for the whole class. */
export const portOf = ({ ranges }: PortClass): number | undefined => ranges[0]?.lo

/** All ports of TCP, UDP and SCTP, and pings, in as few classes as the policies of these worlds allow. */
export function portClasses(worlds: readonly PolicyWorld[]): readonly PortClass[] {
  return [...[TCP, UDP, SCTP].flatMap((protocol) => classesOf(protocol, worlds)), { protocol: ICMP, ranges: [] }]
}

function classesOf(protocol: number, worlds: readonly PolicyWorld[]): readonly PortClass[] {
  const lists = worlds.flatMap((world) => portLists(protocol, world))
  const cuts = new Set([1])
  for (const list of lists) for (const { lo, hi } of list) cuts.add(lo).add(hi + 1)
  const starts = [...cuts].filter((cut) => cut >= 1 && cut <= 65535).sort((a, b) => a - b)
  const classes = new Map<string, PortRange[]>()
  for (const [i, lo] of starts.entries()) {
    const inside = lists.map((list) => (list.some((range) => lo >= range.lo && lo <= range.hi) ? 1 : 0)).join('')
    const range = { lo, hi: (starts[i + 1] ?? 65536) - 1 }
    const known = classes.get(inside)
    if (!known) classes.set(inside, [range])
    else if (known.at(-1)?.hi === lo - 1) known[known.length - 1] = { lo: (known.at(-1) as PortRange).lo, hi: range.hi }
    else known.push(range)
  }
  return [...classes.values()].map((ranges) => ({ protocol, ranges }))
}

/** Every list of ports that some rule tells from others: each list once. A name or a Service is a list for each number behind it. */
function portLists(protocol: number, world: PolicyWorld): readonly (readonly PortRange[])[] {
  const lists = new Map<string, readonly PortRange[]>()
  const add = (list: readonly PortRange[]): void => {
    lists.set(list.map(({ lo, hi }) => `${lo}-${hi}`).join(), list)
  }
  const single = (ports: readonly { readonly protocol: number; readonly port: number }[]): void => {
    for (const { protocol: of, port } of ports) if (of === protocol) add([{ lo: port, hi: port }])
  }
  const names = new Set<string>()
  for (const { ports, notPorts, service } of destinations(protocol, world)) {
    for (const list of [ports, notPorts]) {
      if (list && list.ranges.length > 0) add(list.ranges)
      for (const name of list?.names ?? []) names.add(name)
    }
    if (service?.withPorts)
      for (const backend of world.services.get(`${service.namespace}/${service.name}`)?.backends ?? []) single(backend.ports)
  }
  for (const { ports } of world.endpoints) single(ports.filter(({ name }) => names.has(name)))
  return [...lists.values()]
}

/** Of rules that may match packets of a protocol. */
function* destinations(protocol: number, world: PolicyWorld): Iterable<Peer> {
  const lists: (readonly Rule[])[] = []
  for (const { policies } of world.tiers) for (const { ingressRules, egressRules } of policies) lists.push(ingressRules, egressRules)
  for (const { ingressRules, egressRules } of world.profiles.values()) lists.push(ingressRules, egressRules)
  for (const rules of lists) {
    for (const rule of rules) if ((rule.protocol ?? protocol) === protocol && rule.notProtocol !== protocol) yield rule.destination
  }
}
