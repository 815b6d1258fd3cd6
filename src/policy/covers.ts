import { NAMESPACE } from '../cluster/selector/calico.ts'
import { canonical } from '../cluster/selector/canonical.ts'
import { implies } from '../cluster/selector/implies.ts'
import { allOf, type Selector } from '../cluster/selector/types.ts'
import { contains, overlaps, type Prefix } from '../net/ip.ts'
import type { Peer, Policy, Ports, Rule } from './model.ts'

/*
 * Whether one rule matches everything that another one matches. Provable only: by what the rules say, for any pods whatever. False says that
 * it is not known.
 */

/** `a` matches every packet that `b` matches. */
export function ruleCovers(a: Rule, b: Rule): boolean {
  // what a proxy must judge too, what nobody can tell, and what is not as it is written covers nothing
  if (a.http || a.unknown !== undefined || a.failClosed !== undefined) return false
  if (a.family !== undefined && a.family !== b.family) return false
  if (a.protocol !== undefined && a.protocol !== b.protocol) return false
  if (a.notProtocol !== undefined && a.notProtocol !== b.notProtocol && (b.protocol === undefined || b.protocol === a.notProtocol))
    return false
  if (a.icmp && !sameIcmp(a.icmp, b.icmp)) return false
  if (a.notIcmp && !sameIcmp(a.notIcmp, b.notIcmp)) return false
  return peerCovers(a.source, b.source) && peerCovers(a.destination, b.destination)
}

/** Every endpoint that `b` selects, at every hook at which `b` is asked, is one that `a` selects. */
export function subjectCovers(a: Policy, b: Policy): boolean {
  if (a.hook !== b.hook || (b.applyOnForward && !a.applyOnForward)) return false
  if (a.namespace !== undefined && a.namespace !== b.namespace) return false
  return selectorCovers(a.subject, b.subject)
}

const sameIcmp = (a: NonNullable<Rule['icmp']>, b: Rule['icmp']): boolean =>
  b !== undefined && (a.type === undefined || a.type === b.type) && (a.code === undefined || a.code === b.code)

function peerCovers(a: Peer, b: Peer): boolean {
  if (a.selector && !(b.selector && selectorCovers(a.selector, b.selector))) return false
  if (a.notSelector && !(b.notSelector && sameSelector(a.notSelector, b.notSelector))) return false
  if (a.nodes && !(b.nodes && sameSelector(a.nodes, b.nodes))) return false
  if (a.service && !sameService(a.service, b.service)) return false
  if (a.nets && !b.nets?.every((net) => isWithin(net, a.nets ?? []))) return false
  if (a.notNets && !excludesNoMore(a.notNets, b)) return false
  if (a.ports && !(b.ports && portsWithin(b.ports, a.ports))) return false
  return !a.notPorts || (b.notPorts !== undefined && portsWithin(a.notPorts, b.notPorts))
}

/** Whatever `b` selects, `a` selects. */
const selectorCovers = (a: Selector, b: Selector): boolean => implies(b, a) || implies(withFacts(b), a)

const known = new WeakMap<Selector, Selector>()

/** What is a pod, or has a label of a namespace, is in one. */
function withFacts(selector: Selector): Selector {
  let full = known.get(selector)
  if (!full) {
    const conditions = selector.kind === 'and' ? selector.operands.flatMap((x) => (x.kind === 'and' ? x.operands : [x])) : [selector]
    known.set(selector, (full = conditions.some(isOfNamespaced) ? allOf([selector, IN_A_NAMESPACE]) : selector))
  }
  return full
}

const IN_A_NAMESPACE: Selector = { kind: 'has', key: NAMESPACE }

const isOfNamespaced = (x: Selector): boolean =>
  (x.kind === 'equal' && (x.key === 'projectcalico.org/orchestrator' || x.key.startsWith('pcns.'))) ||
  ((x.kind === 'has' || x.kind === 'in') && x.key.startsWith('pcns.'))

const sameSelector = (a: Selector, b: Selector): boolean => canonical(a) === canonical(b)

function sameService(a: NonNullable<Peer['service']>, b: Peer['service']): boolean {
  return b !== undefined && a.namespace === b.namespace && a.name === b.name && a.withPorts === b.withPorts
}

/** Whether a block lies in one of others. */
export const isWithin = (net: Prefix, others: readonly Prefix[]): boolean =>
  others.some((other) => other.length <= net.length && contains(other, net.ip))

/** A rule with notNets is one for their families only. */
function excludesNoMore(notNets: readonly Prefix[], { nets, notNets: excluded }: Peer): boolean {
  const families = new Set(notNets.map(({ ip }) => ip.family))
  if (nets?.every((net) => families.has(net.ip.family) && !notNets.some((not) => overlaps(not, net)))) return true
  if (!excluded?.every(({ ip }) => families.has(ip.family))) return false
  return notNets.every((net) => isWithin(net, excluded))
}

/** Whether every port of one list is in another. */
export function portsWithin(ports: Ports, others: Ports): boolean {
  const merged = mergedRanges(others)
  return (
    ports.names.every((name) => others.names.includes(name)) &&
    ports.ranges.every((range) => merged.some((other) => other.lo <= range.lo && range.hi <= other.hi))
  )
}

function mergedRanges({ ranges }: Ports): readonly { readonly lo: number; readonly hi: number }[] {
  const merged: { lo: number; hi: number }[] = []
  for (const { lo, hi } of [...ranges].sort((x, y) => x.lo - y.lo)) {
    const last = merged.at(-1)
    if (last && lo <= last.hi + 1) last.hi = Math.max(last.hi, hi)
    else merged.push({ lo, hi })
  }
  return merged
}
