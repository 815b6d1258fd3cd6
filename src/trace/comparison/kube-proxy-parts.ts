/** kube-proxy's side of the eight aspects. */

import type { Aspect, Part } from '../types.ts'
import { endpointCount, hasAffinity } from './endpoint-chains.ts'
import type { Facts } from './facts.ts'
import { ruleText, type Step } from './walked.ts'
import { acted, idle, list, nameOf, nodesIn, sentences, statements } from './words.ts'

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
  if (f.service === undefined) return 'no Service address was used: kube-proxy had nothing to translate'
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
  return acted('no Service, but a rule of kube-proxy decided about the packet', ['guard'], steps)
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
        `matched ${list(k.matched.map((s) => s.hop.object ?? object))} by its ${list(k.matched.map(entryOf))} on ${nodesIn(k.matched)}`,
      k.refused.length > 0 &&
        `${list(k.refused.map((s) => s.hop.object ?? object))} ${list(k.refused.map(refusalOf))}: ${list(k.refused.map((s) => s.hop.action))} on ${nodesIn(k.refused)}`,
      drops.length > 0 && `loadBalancerSourceRanges of ${object} dropped it on ${nodesIn(drops)}`,
      drops.length === 0 && k.filtered.length > 0 && `loadBalancerSourceRanges of ${object} let the client in`,
      health.length > 0 && `opened the health check port of ${list(health.map((s) => s.hop.object ?? object))}`,
    ),
    [...k.matched.map(entryOf), ...k.refused.map(refusalOf), drops.length > 0 && 'source ranges', health.length > 0 && 'health check port'],
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
    return idle(f.service === undefined ? 'no Service, so there was no choice of endpoints' : nothing(f))
  }
  // one sentence for each Service chain: two nodes on the way may choose from different lists
  const chains = new Map<string, Step>()
  for (const s of chosen) if (!chains.has(`${s.hop.node} ${s.hop.chain}`)) chains.set(`${s.hop.node} ${s.hop.chain}`, s)
  const told = [...chains.values()].map((s) => {
    const count = endpointCount(s, f.snapshot)
    const object = s.hop.object ?? f.service ?? 'the Service'
    if (count === 1) return `1 of 1 endpoint of ${nameOf(object)} on ${s.hop.node}: the chain holds one jump, without a probability`
    const how = hasAffinity(s, f.snapshot) ? 'at random for a new client, then the same by session affinity' : 'at random'
    return `1 of ${count ?? 'several'} endpoints of ${nameOf(object)} on ${s.hop.node}, ${how}`
  })
  const means = [...chains.values()].map((s) =>
    endpointCount(s, f.snapshot) === 1 ? 'single endpoint' : hasAffinity(s, f.snapshot) ? 'session affinity' : 'statistic random',
  )
  return acted(statements(told), means, chosen)
}

const isDrop = (s: Step): boolean => /DROP|REJECT/.test(s.hop.action)

/** By which of its addresses a Service was matched: kube-proxy says it in the comment. */
function entryOf(s: Step): string {
  if (s.hop.chain === 'KUBE-NODEPORTS') return 'node port'
  const text = ruleText(s.hop)
  if (text.includes(' external IP"')) return 'external address'
  if (text.includes(' loadbalancer IP"')) return 'load balancer address'
  return 'cluster address'
}

const refusalOf = (s: Step): string =>
  ruleText(s.hop).includes('no local endpoints') ? 'has no endpoint on this node' : 'has no endpoints'
