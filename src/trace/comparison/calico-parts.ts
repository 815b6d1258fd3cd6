/** Calico's side of the eight aspects. */

import { podOfInterface } from '../attribution/interface-names.ts'
import type { Aspect, Part } from '../types.ts'
import { chainOf } from './act.ts'
import { absentPart, isAbsent } from './calico-absent.ts'
import { calicoAddresses } from './calico-addresses.ts'
import { calicoOverlay } from './calico-overlay.ts'
import { calicoPolicies } from './calico-policies.ts'
import type { Facts } from './facts.ts'
import { deviceOf, requestFirst } from './walked.ts'
import { acted, idle, list, nodesIn, sentences } from './words.ts'

/** What Calico did for the flow under one aspect, or why it did nothing. */
export function calicoPart(aspect: Aspect, f: Facts): Part {
  if (isAbsent(f)) return absentPart(aspect, f)
  switch (aspect) {
    case 'primaryFunction':
      return primary(f)
    case 'serviceManagement':
      return services(f)
    case 'podNetwork':
      return podNetwork(f)
    case 'networkPolicies':
      return calicoPolicies(f)
    case 'trafficForwarding':
      return forwarding(f)
    case 'loadBalancing':
      return balancing(f)
    case 'overlayUnderlay':
      return calicoOverlay(f)
    case 'podIpManagement':
      return calicoAddresses(f)
  }
}

function primary(f: Facts): Part {
  const c = f.calico
  const judged = f.judgements.flatMap((j) => (j.verdict === 'established' ? [] : j.steps.slice(0, 1)))
  const steps = [
    ...judged,
    ...c.loopStopped,
    ...c.tunnel,
    ...c.direct,
    ...c.routes,
    ...c.veth,
    ...c.masqueraded,
    ...c.translated,
    ...c.forwarded,
  ]
  if (f.nodes.length === 0) return idle('the pod talks to itself: the packet never left it')
  if (steps.length === 0) return idle("no pod network and no policy took part: this traffic is the hosts' own")
  const denied = f.judgements.some((j) => j.verdict === 'denied')
  return acted(
    sentences(
      c.veth.length > 0 &&
        (c.tunnel.length + c.direct.length > 0
          ? 'pod network: carried the packets between pods and nodes'
          : `pod network: carried the packets on ${nodesIn(c.veth.filter((s) => !s.hop.node.includes('/'))) || `the veth of ${nodesIn(c.veth)}`}`),
      judged.length > 0 && (denied ? 'network policy: denied them' : 'network policy: judged them'),
      c.veth.length === 0 && judged.length === 0 && 'its entries took part in how the packets went',
    ),
    [c.veth.length > 0 && 'pod network', judged.length > 0 && 'policy', c.veth.length === 0 && judged.length === 0 && 'routes and rules'],
    steps,
  )
}

function services(f: Facts): Part {
  const k = f.kubeProxy
  if (f.calico.loopStopped.length > 0)
    return idle(
      "Services are kube-proxy's: Calico only stopped a packet to a Service address that nobody had translated",
      f.calico.loopStopped,
    )
  if (f.endpoints.length > 0) return idle(`Services are kube-proxy's: Calico saw ${list(f.endpoints)} after DNAT`)
  if (k.refused.length > 0) return idle("Services are kube-proxy's: it refused this one itself")
  if (f.service !== undefined) return idle(`Services are kube-proxy's: Calico does not know that the address belongs to ${f.service}`)
  if (f.withoutPort !== undefined)
    return idle(`Services are kube-proxy's: Calico does not know that the address belongs to ${f.withoutPort}`)
  return idle("no Service address was used, and Services would be kube-proxy's")
}

function podNetwork(f: Facts): Part {
  const { veth } = f.calico
  if (veth.length === 0) {
    return idle(
      f.addresses.length === 0
        ? 'no pod of the pod network took part: hosts talk by their own interfaces'
        : f.nodes.length === 0
          ? 'the pod talks to itself: the packet never left its loopback'
          : "the packet never reached a pod's interface",
    )
  }
  const pods = new Set<string>()
  for (const { hop } of veth) {
    const device = hop.stage === 'device' ? hop.where : deviceOf(hop)
    const pod = hop.node.startsWith('pod/') ? hop.node : device && podOfInterface(device, f.snapshot.cluster)
    if (pod) pods.add(pod)
  }
  const whose = pods.size > 0 ? ` of ${list(pods)}` : ''
  return acted(`the veth${pods.size > 1 ? 's' : ''} and routes${whose} carried the packets`, ['veth'], veth)
}

function forwarding(f: Facts): Part {
  const c = f.calico
  const steps = [...c.translated, ...c.masqueraded, ...c.loopStopped, ...c.routes, ...c.forwarded]
  if (steps.length === 0)
    return idle(
      f.calico.veth.length > 0 ? "no route of Calico was chosen: the node's own routes lead there" : 'no route or rule of Calico took part',
    )
  const natOutgoing = c.masqueraded.filter((s) => chainOf(s.hop) === 'cali-nat-outgoing')
  const [forwarded, sentOn] = [
    c.forwarded.filter((s) => chainOf(s.hop) === 'FORWARD'),
    c.forwarded.filter((s) => chainOf(s.hop) !== 'FORWARD'),
  ]
  const tunnelSource = c.masqueraded.filter((s) => chainOf(s.hop) !== 'cali-nat-outgoing')
  return acted(
    sentences(
      c.translated.length > 0 && `floating address: ${list(c.translated.map((s) => s.hop.action))}`,
      c.routes.length > 0 && `routed by ${list(requestFirst(c.routes).map((s) => `${s.hop.action} on ${s.hop.node}`))}`,
      natOutgoing.length > 0 &&
        `natOutgoing of ${list(natOutgoing.map((s) => s.hop.object ?? clientPool(f)))}: masqueraded behind ${nodesIn(natOutgoing)}`,
      tunnelSource.length > 0 && `gave the tunnel's address to the host's own packet on ${nodesIn(tunnelSource)}`,
      c.loopStopped.length > 0 && `dropped on ${nodesIn(c.loopStopped)} as a packet to a Service address that would loop`,
      forwarded.length > 0 && `accepted in FORWARD on ${nodesIn(forwarded)}`,
      sentOn.length > 0 && `accepted in OUTPUT on ${nodesIn(sentOn)}, as IPVS sent it on`,
    ),
    [
      c.routes.length > 0 && 'routes',
      natOutgoing.length > 0 && 'natOutgoing',
      tunnelSource.length > 0 && 'tunnel source address',
      c.translated.length > 0 && 'floating address',
      c.loopStopped.length > 0 && 'service loop prevention',
      forwarded.length > 0 && 'accept in FORWARD',
      sentOn.length > 0 && 'accept in OUTPUT',
    ],
    steps,
  )
}

function balancing(f: Facts): Part {
  const { balanced } = f.calico
  if (balanced.length > 0)
    return acted(
      `a route with several next hops: ${list(balanced.map((s) => s.hop.choice?.what ?? s.hop.action))}`,
      ['multipath'],
      balanced,
    )
  if (f.kubeProxy.chosen.length > 0) return idle("kube-proxy chose the endpoint; Calico's routes have one next hop")
  return idle("there was nothing to choose: Calico's routes have one next hop")
}

/** With several pools a masquerade rule names none: it is the client's pool that asked for it. */
const clientPool = (f: Facts): string => {
  const pool = f.addresses.find((a) => a.pool?.natOutgoing)?.pool
  return pool ? `ippool/${pool.name}` : 'the IP pool'
}
