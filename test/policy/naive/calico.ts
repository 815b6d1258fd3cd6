/**
 * Calico NetworkPolicy and GlobalNetworkPolicy, by Calico's resource reference; where the pages leave something open, by
 * what libcalico-go and Felix do (the file is named there).
 */
import type { Endpoint } from './endpoints.ts'
import { block } from './endpoints.ts'
import { type End, inCidrs, isOneOf, type Packet } from './flow.ts'
import { isNamedPort } from './kubernetes.ts'
import { type Ask, both, type Decider, type Direction, either, type Match, not, settle } from './match.ts'
import {
  type CalicoPolicy,
  type CalicoRule,
  type EndpointSlice,
  type EntityRule,
  type KubeObject,
  type Labels,
  ofKind,
  protocolNumber,
} from './objects.ts'
import { holds } from './selector.ts'

const inNamespace = (labels: Labels) => Object.hasOwn(labels, 'projectcalico.org/namespace')
const hasAccount = (labels: Labels) => Object.hasOwn(labels, 'projectcalico.org/serviceaccount')

/** The policy selects the endpoint and has the direction among its types. */
export function appliesTo(policy: CalicoPolicy, endpoint: Endpoint, direction: Direction): boolean {
  return endpoint.kind !== 'set' && isSubject(policy, endpoint.calicoLabels) && typesOf(policy).includes(direction)
}

function isSubject(policy: CalicoPolicy, labels: Labels): boolean {
  const { selector = '', namespaceSelector = '', serviceAccountSelector = '' } = policy.spec
  const { namespace } = policy.metadata
  if (isGlobal(policy)) {
    // With a namespaceSelector all() means "has a namespace" everywhere, with a serviceAccountSelector alone
    // "has an account" (libcalico-go, globalnetworkpolicyprocessor.go): that is how host endpoints are kept out.
    let all = () => true as boolean
    if (namespaceSelector !== '') all = () => inNamespace(labels)
    else if (serviceAccountSelector !== '') all = () => hasAccount(labels)
    // an empty selector is no text at all, so it is not read as all() here
    if (selector !== '' && !holds(selector, labels, { all })) return false
    if (namespaceSelector !== '' && !holds(namespaceSelector, labels, { prefix: 'pcns.', all })) return false
    if (serviceAccountSelector === '') return true
    return holds(serviceAccountSelector, labels, { prefix: 'pcsa.', all: () => hasAccount(labels) })
  }
  if (labels['projectcalico.org/namespace'] !== (namespace ?? 'default')) return false
  return holds(selector, labels) && (serviceAccountSelector === '' || holds(serviceAccountSelector, labels, { prefix: 'pcsa.' }))
}

export function isGlobal(policy: KubeObject): boolean {
  return policy.kind === 'GlobalNetworkPolicy' || policy.kind === 'StagedGlobalNetworkPolicy'
}

/** The defaults that the reference gives for `types`. */
function typesOf(policy: CalicoPolicy): Direction[] {
  const { types = [], ingress, egress } = policy.spec
  if (types.length > 0) return types.map((type) => (type === 'Ingress' ? 'ingress' : 'egress'))
  // the API fills the types in; who finds none in the datastore takes both (felix/calc/policy_sorter.go)
  if (policy.apiVersion.startsWith('crd.')) return ['ingress', 'egress']
  const hasIngress = (ingress ?? []).length > 0
  const hasEgress = (egress ?? []).length > 0
  if (!hasEgress) return ['ingress']
  return hasIngress ? ['ingress', 'egress'] : ['egress']
}

/** The first rule whose action decides; Log never does. `namespace` is undefined for global policies and profiles. */
export function decide(
  objects: readonly KubeObject[],
  rules: readonly CalicoRule[],
  namespace: string | undefined,
  packet: Packet,
  ask: Ask,
): Decider | undefined {
  for (const [index, rule] of rules.entries()) {
    const { action } = rule
    if (action === 'Log') continue
    if (action !== 'Allow' && action !== 'Deny' && action !== 'Pass') throw new Error(`not an action: ${action}`)
    const matches = matchesRule(objects, rule, namespace, packet)
    if (!settle(matches, ask)) continue
    // a proxy may find that its HTTP conditions do not hold
    if (rule.http && ask('l4-only')) continue
    return { rule: index, action }
  }
  return undefined
}

function matchesRule(objects: readonly KubeObject[], rule: CalicoRule, namespace: string | undefined, packet: Packet): Match {
  const { source = {}, destination = {} } = rule
  return both(
    rule.ipVersion === undefined || (packet.family === undefined ? 'unknown' : rule.ipVersion === packet.family),
    rule.protocol === undefined || protocolNumber(rule.protocol) === packet.protocol,
    rule.notProtocol === undefined || protocolNumber(rule.notProtocol) !== packet.protocol,
    rule.icmp === undefined || isIcmp(rule.icmp, packet),
    rule.notICMP === undefined || !isIcmp(rule.notICMP, packet),
    matchesEntity(source, namespace, packet, packet.src),
    matchesEntity(destination, namespace, packet, packet.dst),
    matchesPorts(source, namespace, packet, packet.src, packet.srcPort),
    matchesPorts(destination, namespace, packet, packet.dst, packet.port),
    // "services" of a source are addresses, of a destination addresses with their ports
    source.services === undefined || isService(objects, source.services, namespace, packet, packet.src, false),
    destination.services === undefined || isService(objects, destination.services, namespace, packet, packet.dst, true),
  )
}

function isIcmp({ type, code }: { type?: number; code?: number }, packet: Packet): boolean {
  if (packet.protocol !== 1 && packet.protocol !== 58) return false
  return (type === undefined || type === packet.icmpType) && (code === undefined || code === packet.icmpCode)
}

function matchesEntity(entity: EntityRule, namespace: string | undefined, packet: Packet, end: End): Match {
  const { nets = [], notNets = [], notSelector = '' } = entity
  return both(
    nets.length === 0 || inCidrs(nets, end.ip, packet.family),
    // a rule whose blocks are of the other family does not exist for this one (felix/rules/policy.go, FilterRuleToIPVersion)
    notNets.length === 0 || both(isOfFamily(notNets, packet), not(inCidrs(notNets, end.ip, packet.family))),
    hasSelection(entity, namespace)
      ? isOneOf(packet, end, (endpoint) => isSelected(entity, namespace, endpoint.calicoLabels))
      : notSelector === '' || not(isOneOf(packet, end, (endpoint) => holds(notSelector, endpoint.calicoLabels))),
  )
}

function isOfFamily(nets: readonly string[], packet: Packet): boolean {
  return packet.family === undefined || nets.some((net) => block(net).ip.family === packet.family)
}

/**
 * The entity is bound to endpoints and network sets. In a namespaced policy any of the selecting fields binds it to the own
 * namespace, or to those of the namespaceSelector; a notSelector alone does so only there (updateprocessors/rules.go).
 */
function hasSelection(entity: EntityRule, namespace: string | undefined): boolean {
  const { selector = '', notSelector = '', namespaceSelector = '', serviceAccounts = {} } = entity
  if (selector !== '' || namespaceSelector !== '') return true
  if (serviceAccounts.selector || (serviceAccounts.names ?? []).length > 0) return true
  return notSelector !== '' && namespace !== undefined
}

function isSelected(entity: EntityRule, namespace: string | undefined, labels: Labels): boolean {
  const { selector = '', notSelector = '', namespaceSelector = '', serviceAccounts } = entity
  // who is selected is no longer asked by address what it is not (felix/calc/rule_scanner.go, combineMatchesIfPossible)
  if (notSelector !== '' && holds(notSelector, labels)) return false
  if (namespaceSelector !== '') {
    const all = () => inNamespace(labels)
    const global = () => !inNamespace(labels)
    if (!holds(namespaceSelector, labels, { prefix: 'pcns.', all, global })) return false
  } else if (namespace !== undefined && labels['projectcalico.org/namespace'] !== namespace) return false
  if (serviceAccounts) {
    const { names = [], selector: accounts = '' } = serviceAccounts
    const account = labels['projectcalico.org/serviceaccount']
    if (names.length > 0 && (account === undefined || !names.includes(account))) return false
    if (accounts !== '' && !holds(accounts, labels, { prefix: 'pcsa.' })) return false
  }
  return selector === '' || holds(selector, labels)
}

function matchesPorts(entity: EntityRule, namespace: string | undefined, packet: Packet, end: End, port: number | undefined): Match {
  const { ports = [], notPorts = [] } = entity
  // A named port is one of an endpoint that the rest of the entity selects, of this address.
  const isPort = (wanted: number | string): Match => {
    if (port === undefined && ![6, 17, 132, 136].includes(packet.protocol)) return false
    const range = /^(\d+)(?::(\d+))?$/.exec(`${wanted}`)
    if (range && port === undefined) return 'unknown'
    if (range && port !== undefined) return Number(range[1]) <= port && port <= Number(range[2] ?? range[1])
    const has = isOneOf(packet, end, (endpoint) => {
      if (hasSelection(entity, namespace) && !isSelected(entity, namespace, endpoint.calicoLabels)) return false
      return endpoint.ports.some((own) => isNamedPort(own, `${wanted}`, packet, port))
    })
    return both(has, port === undefined ? 'unknown' : true)
  }
  return both(ports.length === 0 || either(ports.map(isPort)), not(either(notPorts.map(isPort))))
}

/** Addresses of the Service's EndpointSlices, ready or not; with ports, those of the slice that holds the address. */
function isService(
  objects: readonly KubeObject[],
  service: { readonly name: string; readonly namespace?: string },
  own: string | undefined,
  packet: Packet,
  end: End,
  withPorts: boolean,
): Match {
  // "If left empty, the rule will match within this policy's namespace."
  const namespace = service.namespace || own
  const matches: Match[] = []
  for (const slice of ofKind<EndpointSlice>(objects, 'discovery.k8s.io', 'EndpointSlice')) {
    if ((slice.metadata.namespace ?? 'default') !== namespace) continue
    if (slice.metadata.labels?.['kubernetes.io/service-name'] !== service.name) continue
    for (const { addresses } of slice.endpoints ?? []) {
      const isAddress = end.ip !== undefined && inCidrs(addresses, end.ip, packet.family)
      if (!withPorts) matches.push(isAddress)
      for (const port of slice.ports ?? []) {
        if (!withPorts || port.port == null || protocolNumber(port.protocol ?? 'TCP') !== packet.protocol) continue
        matches.push(both(isAddress, packet.port === undefined ? 'unknown' : port.port === packet.port))
      }
    }
  }
  return either(matches)
}
