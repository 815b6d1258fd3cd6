/** kube-proxy's side of the eight aspects. */

import { serviceAt } from '../attribution/service-at.ts'
import type { Aspect, Part } from '../types.ts'
import { actOf, says } from './act.ts'
import { choiceAt } from './endpoint-choice.ts'
import type { Facts } from './facts.ts'
import type { Step } from './walked.ts'
import { acted, idle, list, nameOf, nodesIn, sentences, statements } from './words.ts'

/** What kube-proxy did for the flow under one aspect, or why it did nothing. */
export function kubeProxyPart(aspect: Aspect, f: Facts): Part {
  switch (aspect) {
    case 'primaryFunction':
      return primary(f)
    case 'serviceManagement':
      return services(f)
    case 'podNetwork':
      return idle('kube-proxy makes no pod interfaces and no pod routes')
    case 'networkPolicies':
      return policies(f)
    case 'trafficForwarding':
      return forwarding(f)
    case 'loadBalancing':
      return balancing(f)
    case 'overlayUnderlay':
      return idle('kube-proxy does not carry packets between nodes: it only rewrites addresses')
    case 'podIpManagement':
      return idle('kube-proxy gives out no pod addresses; Service addresses come from the API server')
  }
}

/** Why it had nothing to do. */
function nothing(f: Facts): string {
  if (f.withoutPort !== undefined)
    return `the address belongs to ${f.withoutPort}, which does not have the port: there was nothing to translate`
  if (f.service === undefined) return 'no Service address was used: kube-proxy had nothing to translate'
  if (f.walked.flow.state === 'from-dump')
    return `what kube-proxy did for ${f.service} it did when the connection began: conntrack repeats it for every packet`
  return `the address belongs to ${f.service}, but the packet met no rule of kube-proxy for it`
}

function primary(f: Facts): Part {
  const k = f.kubeProxy
  const steps = [
    ...k.matched,
    ...k.refused,
    ...k.filtered.filter(isDrop),
    ...k.chosen,
    ...k.translated,
    ...k.masqueraded,
    ...k.decided,
    ...k.forwarded,
  ]
  if (steps.length === 0) return idle(nothing(f))
  if (k.translated.length > 0)
    return acted(`Service proxy: turned ${f.service ?? 'a Service address'} into ${list(f.endpoints)}`, ['translation'], steps)
  if (k.refused.length > 0)
    return acted(`Service proxy: refused ${f.service ?? 'the Service'}, which has no endpoint to go to`, ['refusal'], steps)
  if (k.filtered.some(isDrop))
    return acted(
      `Service proxy: dropped what loadBalancerSourceRanges of ${f.service ?? 'the Service'} do not allow`,
      ['source ranges'],
      steps,
    )
  if (k.matched.length > 0) return acted(`Service proxy: took the packet for ${f.service ?? 'a Service'}`, ['match'], steps)
  return acted(
    f.withoutPort === undefined
      ? 'no Service, but a rule of kube-proxy decided about the packet'
      : `Service proxy: ${list(k.decided.map((s) => s.hop.action))}, as ${f.withoutPort} does not have the port`,
    ['guard'],
    steps,
  )
}

function services(f: Facts): Part {
  const k = f.kubeProxy
  const drops = k.filtered.filter(isDrop)
  const health = k.decided.filter((s) => s.hop.chain === 'KUBE-NODEPORTS')
  const steps = [...k.matched, ...k.refused, ...k.filtered, ...health]
  if (steps.length === 0) return idle(nothing(f))
  const object = f.service ?? 'a Service'
  return acted(
    sentences(
      k.matched.length > 0 &&
        `matched ${list(k.matched.map((s) => s.hop.object ?? object))} by its ${list(k.matched.map((s) => entryOf(s, f)))} on ${nodesIn(k.matched)}`,
      k.refused.length > 0 &&
        `${list(k.refused.map((s) => s.hop.object ?? object))} ${list(k.refused.map(refusalOf))}: ${list(k.refused.map(refusedWith))} on ${nodesIn(k.refused)}`,
      drops.length > 0 && `loadBalancerSourceRanges of ${object} dropped it on ${nodesIn(drops)}`,
      drops.length === 0 && k.filtered.length > 0 && `loadBalancerSourceRanges of ${object} let the client in`,
      health.length > 0 && `opened the health check port of ${list(health.map((s) => s.hop.object ?? object))}`,
    ),
    [
      ...k.matched.map((s) => entryOf(s, f)),
      ...k.refused.map(refusalOf),
      drops.length > 0 && 'source ranges',
      health.length > 0 && 'health check port',
    ],
    steps,
  )
}

function policies(f: Facts): Part {
  const drops = f.kubeProxy.filtered.filter(isDrop)
  if (drops.length > 0) {
    return idle(
      `no policy, but a filter of the Service: loadBalancerSourceRanges of ${f.service ?? 'the Service'} dropped it in ${list(drops.map((s) => s.hop.chain ?? ''))}`,
      drops,
    )
  }
  if (f.kubeProxy.refused.length > 0) return idle('its REJECT and DROP are about missing endpoints, not about policy', f.kubeProxy.refused)
  return idle('kube-proxy knows no NetworkPolicy')
}

function forwarding(f: Facts): Part {
  const k = f.kubeProxy
  const other = k.decided.filter((s) => s.hop.chain !== 'KUBE-NODEPORTS')
  const steps = [...k.translated, ...k.masqueraded, ...k.forwarded, ...other]
  if (steps.length > 0) {
    return acted(
      sentences(
        k.translated.length > 0 && `DNAT to ${list(f.endpoints)} on ${nodesIn(k.translated)}`,
        k.masqueraded.length > 0 && `masqueraded behind ${nodesIn(k.masqueraded)}, so that the answer comes back there`,
        k.forwarded.length > 0 && `accepted in KUBE-FORWARD on ${nodesIn(k.forwarded)}`,
        other.length > 0 && list(other.map((s) => `${s.hop.action} in ${s.hop.chain} on ${s.hop.node}`)),
      ),
      [
        k.translated.length > 0 && 'DNAT',
        k.masqueraded.length > 0 && 'masquerade',
        k.forwarded.length > 0 && 'accept in KUBE-FORWARD',
        other.length > 0 && 'guard',
      ],
      steps,
    )
  }
  if (k.refused.length > 0) return idle('nothing was translated: there is no endpoint to send to', k.refused)
  if (k.filtered.some(isDrop)) return idle('nothing was translated: the source is not allowed', k.filtered)
  return idle(nothing(f))
}

function balancing(f: Facts): Part {
  const { chosen, refused } = f.kubeProxy
  if (chosen.length === 0) {
    if (refused.length > 0) return idle(`${f.service ?? 'the Service'} has no endpoint to choose`, refused)
    const stopped = f.kubeProxy.filtered.filter(isDrop)
    if (stopped.length > 0) return idle('the source is not allowed: no endpoint was chosen', stopped)
    return idle(f.service === undefined && f.withoutPort === undefined ? 'no Service, so there was no choice of endpoints' : nothing(f))
  }
  // one sentence for each Service chain or virtual server: two nodes on the way may choose from different lists
  const places = new Map<string, Step>()
  for (const s of chosen) {
    const place = `${s.hop.node} ${s.hop.stage === 'ipvs' ? s.hop.object : s.hop.chain}`
    if (!places.has(place)) places.set(place, s)
  }
  const choices = [...places.values()].map((s) => ({ s, ...choiceAt(s, f) }))
  const told = choices.map(({ s, count, how }) => {
    const object = s.hop.object ?? f.service ?? 'the Service'
    return `1 of ${count ?? 'several'} ${count === 1 ? 'endpoint' : 'endpoints'} of ${nameOf(object)} on ${s.hop.node}${how}`
  })
  return acted(
    statements(told),
    choices.map((c) => c.means),
    chosen,
  )
}

function isDrop(s: Step): boolean {
  const { kind } = actOf(s.hop)
  return kind === 'drop' || kind === 'reject'
}

/** By which of its addresses a Service was matched: kube-proxy says it in the comments of iptables rules; elsewhere the client's words tell. */
function entryOf(s: Step, { walked, snapshot }: Facts): string {
  if (s.hop.stage === 'ipvs' || s.hop.table?.includes(' ')) {
    const { dst, proto, port } = walked.flow
    return serviceAt(snapshot.cluster, dst, proto, port)?.by ?? 'node port'
  }
  if (s.hop.chain === 'KUBE-NODEPORTS') return 'node port'
  if (says(s.hop, ' external IP"')) return 'external address'
  return says(s.hop, ' loadbalancer IP"') ? 'load balancer address' : 'cluster address'
}

/** `REJECT with icmp-port-unreachable`; a virtual server says first that it has nobody: `none: port unreachable` */
const refusedWith = (s: Step): string => (s.hop.stage === 'ipvs' ? s.hop.action.replace(/^.*: /, '') : s.hop.action)

/** nft drops where there is no local endpoint and rejects where there is none at all; iptables does so too, and says which. */
const refusalOf = (s: Step): string =>
  says(s.hop, 'no local endpoints') || (s.hop.table?.includes(' ') && actOf(s.hop).kind === 'drop')
    ? 'has no endpoint on this node'
    : 'has no endpoints'
