import type { FieldPath, ManifestObject } from '../../cluster/manifest/types.ts'
import { entitySelector, globalSubject, namespacedSubject } from '../../cluster/selector/calico.ts'
import { allOf, type Selector } from '../../cluster/selector/types.ts'
import type { Direction, IcmpMatch, Peer, Policy, PolicyKind, Ports, Rule } from '../model.ts'
import type { CalicoPolicy } from '../resources/calico-policy.ts'
import type { CalicoPort, CalicoRule } from '../resources/calico-rule.ts'
import { prefixes } from './prefixes.ts'

const KINDS: Readonly<Record<CalicoPolicy['kind'], PolicyKind>> = {
  CalicoNetworkPolicy: 'NetworkPolicy',
  GlobalNetworkPolicy: 'GlobalNetworkPolicy',
  StagedNetworkPolicy: 'StagedNetworkPolicy',
  StagedGlobalNetworkPolicy: 'StagedGlobalNetworkPolicy',
}

const ACTIONS = { Allow: 'allow', Deny: 'deny', Pass: 'pass', Log: 'log' } as const

/** Calico's own kinds: selectors folded as its syncer does (libcalico-go/lib/backend/syncersv1/updateprocessors). */
export function calicoPolicy(resource: CalicoPolicy, object: ManifestObject): Policy {
  const { metadata, selector, namespaceSelector, serviceAccountSelector, order, stagedAction } = resource
  const namespace = metadata.namespace || undefined
  return {
    kind: KINDS[resource.kind],
    ...(namespace !== undefined && { namespace }),
    name: metadata.name,
    tier: resource.tier,
    order: order ?? Number.POSITIVE_INFINITY,
    subject:
      namespace === undefined
        ? globalSubject(selector, namespaceSelector, serviceAccountSelector)
        : namespacedSubject(namespace, selector, serviceAccountSelector),
    ingress: resource.types.includes('Ingress'),
    egress: resource.types.includes('Egress'),
    ingressRules: calicoRules(resource.ingress, namespace, 'ingress', object),
    egressRules: calicoRules(resource.egress, namespace, 'egress', object),
    hook: resource.doNotTrack ? 'untracked' : resource.preDNAT ? 'preDNAT' : 'normal',
    applyOnForward: resource.applyOnForward,
    ...(stagedAction && { stagedAction }),
    origin: { object, path: [] },
  }
}

/** Rules of a policy or a profile; `namespace`: of a namespaced policy. */
export function calicoRules(
  rules: readonly CalicoRule[],
  namespace: string | undefined,
  direction: Direction,
  object: ManifestObject,
): Rule[] {
  return rules.map((rule, index) => calicoRule(rule, namespace, index, { object, path: ['spec', direction, index] }))
}

interface Origin {
  readonly object: ManifestObject
  readonly path: FieldPath
}

function calicoRule(rule: CalicoRule, namespace: string | undefined, index: number, origin: Origin): Rule {
  const { ipVersion, protocol, notProtocol, icmp, notICMP, http } = rule
  const name = rule.metadata?.annotations.name
  return {
    index,
    ...(name !== undefined && { name }),
    action: ACTIONS[rule.action],
    ...(ipVersion !== undefined && { family: ipVersion }),
    ...(protocol !== undefined && { protocol }),
    ...(notProtocol !== undefined && { notProtocol }),
    ...(icmp && icmp.type !== undefined && { icmp: icmpMatch(icmp) }),
    ...(notICMP && notICMP.type !== undefined && { notIcmp: icmpMatch(notICMP) }),
    source: entity(rule.source, namespace, false),
    destination: entity(rule.destination, namespace, true),
    ...(http && (http.methods.length > 0 || http.paths.length > 0) && { http: true }),
    origin,
  }
}

const icmpMatch = ({ type, code }: { readonly type?: number | undefined; readonly code?: number | undefined }): IcmpMatch => ({
  ...(type !== undefined && { type }),
  ...(code !== undefined && { code }),
})

function entity(rule: CalicoRule['source'], namespace: string | undefined, destination: boolean): Peer {
  const { nets, notNets, notSelector, ports, notPorts, services } = rule
  const { selector, serviceAccounts, namespaceSelector } = rule
  const positive = entitySelector(
    {
      ...(selector && { selector }),
      ...(namespaceSelector && { namespaceSelector }),
      ...(serviceAccounts && { serviceAccountNames: serviceAccounts.names }),
      ...(serviceAccounts?.selector && { serviceAccountSelector: serviceAccounts.selector }),
      negated: notSelector !== undefined,
    },
    namespace,
  )
  return {
    ...selectors(positive, notSelector),
    ...(nets.length > 0 && { nets: prefixes(nets) }),
    ...(notNets.length > 0 && { notNets: prefixes(notNets) }),
    ...(ports.length > 0 && { ports: portsOf(ports) }),
    ...(notPorts.length > 0 && { notPorts: portsOf(notPorts) }),
    ...(services && { service: { namespace: services.namespace || (namespace ?? ''), name: services.name, withPorts: destination } }),
  }
}

/** What is not selected is taken out of what is: by endpoint, not by address (felix/calc/rule_scanner.go, combineMatchesIfPossible). */
function selectors(selector: Selector | undefined, notSelector: Selector | undefined): Pick<Peer, 'selector' | 'notSelector'> {
  if (!notSelector) return selector ? { selector } : {}
  return selector ? { selector: allOf([selector, { kind: 'not', operand: notSelector }]) } : { notSelector }
}

function portsOf(ports: readonly CalicoPort[]): Ports {
  return {
    ranges: ports.flatMap((port) => (port.kind === 'range' ? [{ lo: port.from, hi: port.to }] : [])),
    names: ports.flatMap((port) => (port.kind === 'named' ? [port.name] : [])),
  }
}
