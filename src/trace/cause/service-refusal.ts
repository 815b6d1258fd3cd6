/** kube-proxy itself stops the packet: a Service without endpoints, or a source that its load balancer does not let in (pkg/proxy/{iptables,ipvs,nftables}/proxier.go). */
import type { Cluster, Service, ServicePort } from '../../cluster/types.ts'
import { kubeProxyRole } from '../attribution/nft-names.ts'
import { type RuleView, ruleView } from '../attribution/rule-view.ts'
import { serviceAt, serviceObject } from '../attribution/service-at.ts'
import { serviceName } from './addresses.ts'
import { type Case, type Explain, type Finding, nodeOf } from './case.ts'
import { endpointNodes, noEndpoint, notHere } from './service-endpoints.ts'
import { missingEntry, noSuchPort, unprogrammedClient } from './untranslated.ts'
import { ruleLine, some } from './words.ts'

/** The cause is the Service: its endpoints, where they are, or who may use it; else the rule that stopped the packet. */
export const serviceRefusal: Explain = (c) => {
  const { blame } = c
  const view = blame.rule?.rule && ruleView(blame.rule, c.cluster)
  if (view?.owner !== 'kube-proxy') return undefined
  const node = nodeOf(blame.place)
  const object = view.object ?? objectBefore(c) ?? objectAsked(c)
  const at = { node, ...(blame.source && { source: blame.source }), ...(object !== undefined && { object }) }
  const found = object === undefined ? undefined : serviceOf(c.cluster, object)
  const name = found ? `service ${serviceName(found.service)}` : (object ?? 'a service')
  switch (reasonOf(view, c)) {
    case 'no local endpoint':
      return (
        unprogrammedClient(c) ?? {
          ...at,
          kind: 'endpoint',
          entry: found ? notHere(c.cluster, found.service, found.port, c.flow.dst, node) : `${name} has no endpoint on ${node}`,
        }
      )
    case 'no endpoint':
      return { ...at, kind: 'endpoint', entry: `${name} has no endpoints${found ? `: ${none(c, found)}` : ''}` }
    case 'source ranges': {
      const source = c.packet.src ? c.packet.src.text : 'the source'
      return { ...at, kind: 'rule', entry: `${source} is not in loadBalancerSourceRanges of ${name} (${view.chain})` }
    }
    case 'no entry':
      return unknownAddress(c, view) ?? { ...at, kind: 'rule', entry: ruleLine(c) }
    case undefined:
      return { ...at, kind: 'rule', entry: ruleLine(c) }
  }
}

type Reason = 'no endpoint' | 'no local endpoint' | 'source ranges' | 'no entry'

/** iptables mode says why in its comments; nft by the chain, and by dropping where only this node lacks endpoints (pkg/proxy/topology.go). */
function reasonOf({ chain, remarks }: RuleView, c: Case): Reason | undefined {
  const why = remarks[0] ?? ''
  if (why.endsWith('has no local endpoints')) return 'no local endpoint'
  if (why.endsWith('has no endpoints')) return 'no endpoint'
  if (/^KUBE-(PROXY-FIREWALL|SOURCE-RANGES-FIREWALL|IPVS-OUT-FILTER)$/.test(chain)) return 'source ranges'
  if (chain === 'KUBE-IPVS-FILTER') return 'no entry'
  if (c.blame.rule?.kind !== 'nft') return undefined
  if (kubeProxyRole(chain) === 'firewall') return 'source ranges'
  if (chain === 'cluster-ips-check') return 'no entry'
  if (chain === 'reject-chain') return 'no endpoint'
  return chain.endsWith('endpoints-check') ? 'no local endpoint' : undefined
}

/** A shared chain of nft was come to by an element of a map, which knows the Service. */
function objectBefore(c: Case): string | undefined {
  const led = c.steps.findLast((s) => s.kind === 'nft' && s.place === c.blame.place && s.element !== undefined)
  return led?.kind === 'nft' ? ruleView(led, c.cluster).object : undefined
}

/** Around IPVS one rule serves all Services: what the client asked for tells. */
function objectAsked({ cluster, request: { dst, proto, dport }, blame }: Case): string | undefined {
  const at = blame.rule?.kind === 'rule' ? serviceAt(cluster, dst.text, proto, dport?.lo) : undefined
  return at?.port && serviceObject(at.service, at.port)
}

/** The address is of the Service network, but no entry took the packet: for want of the port, of the Service, or of the entry. */
function unknownAddress(c: Case, { chain }: RuleView): Finding | undefined {
  const { place, source } = c.blame
  const address = serviceAt(c.cluster, c.packet.dst.text, c.packet.proto, c.packet.dport?.lo)
  if (address) {
    const found = address.port ? missingEntry(c, place, address) : noSuchPort(c, place, address.service)
    return { ...found, entry: `${found.entry} (${chain})`, ...(source && { source }) }
  }
  const entry = `no service has the address ${c.packet.dst.text} (${chain})`
  return { node: nodeOf(place), kind: 'rule', entry, ...(source && { source }) }
}

interface Asked {
  readonly service: Service
  readonly port: ServicePort | undefined
}

function serviceOf(cluster: Cluster, object: string): Asked | undefined {
  const [, namespace, rest] = object.split('/')
  const [name, port] = (rest ?? '').split(':')
  const service = cluster.services.find((s) => s.namespace === namespace && s.name === name)
  return service && { service, port: service.ports.find((p) => (p.name ?? '') === (port ?? '')) }
}

const none = (c: Case, { service, port }: Asked): string =>
  noEndpoint(c.cluster, service, port) ??
  `EndpointSlices list some on ${some(endpointNodes(c.cluster, service, port))}: the rules are older than they`
