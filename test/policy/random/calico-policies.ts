/** Random Calico policies of both scopes and their staged kinds, lawful by libcalico-go's validator and the CRDs' CEL rules. */
import type { Random } from '../../kernel/random.ts'
import type { CalicoPolicy, CalicoRule, EntityRule } from '../naive/objects.ts'
import { accountSelector, calicoNamespaceSelector, endpointSelector } from './selectors.ts'
import { accounts, cidr, maybe, namespaces, portNames, portNumbers, protocols, services, some, tiers, times } from './words.ts'

/** `namespace` undefined: a global policy */
export function calicoPolicy(random: Random, namespace: string | undefined, name: string, staged: boolean): CalicoPolicy {
  const kind = `${staged ? 'Staged' : ''}${namespace === undefined ? 'Global' : ''}NetworkPolicy`
  const metadata = namespace === undefined ? { name } : { name, namespace }
  const tier = maybe(random, 0.6, () => ({ tier: random.pick([...tiers, 'default', 'default', random.chance(0.1) ? 'ghost' : 'default']) }))
  if (staged && random.chance(0.25)) {
    return { apiVersion: 'projectcalico.org/v3', kind, metadata, spec: { ...tier, stagedAction: 'Delete' } }
  }
  const spec = {
    ...tier,
    ...(staged ? maybe(random, 0.6, () => ({ stagedAction: 'Set' })) : {}),
    // 1000 is where Kubernetes policies are
    ...maybe(random, 0.75, () => ({ order: random.pick([-5, 0, 0.5, 10, 10, 1000, 2000]) })),
    ...maybe(random, 0.85, () => ({ selector: endpointSelector(random) })),
    ...maybe(random, 0.15, () => ({ serviceAccountSelector: accountSelector(random) })),
    ...(namespace === undefined ? globalFields(random) : {}),
  }
  const preDNAT = 'preDNAT' in spec && spec.preDNAT === true
  const ingress = times(random, 0, 4, () => rule(random, 'ingress', namespace))
  const egress = times(random, 0, preDNAT ? 0 : 3, () => rule(random, 'egress', namespace))
  return {
    apiVersion: 'projectcalico.org/v3',
    kind,
    metadata,
    spec: {
      ...spec,
      ...maybe(random, 0.5, () => ({ types: preDNAT ? ['Ingress'] : some(random, ['Ingress', 'Egress'], 1) })),
      ...(ingress.length > 0 ? { ingress } : {}),
      ...(egress.length > 0 ? { egress } : {}),
    },
  }
}

function globalFields(random: Random) {
  const hook = random.below(10)
  return {
    ...maybe(random, 0.25, () => ({ namespaceSelector: calicoNamespaceSelector(random) })),
    ...(hook === 0 ? { doNotTrack: true, applyOnForward: true } : {}),
    ...(hook === 1 ? { preDNAT: true, applyOnForward: true } : {}),
    ...(hook === 2 || hook === 3 ? { applyOnForward: true } : {}),
  }
}

function rule(random: Random, direction: 'ingress' | 'egress', namespace: string | undefined): CalicoRule {
  const action = random.pick(['Allow', 'Allow', 'Allow', 'Deny', 'Deny', 'Pass', 'Pass', 'Log'])
  const isService = random.chance(0.2)
  // the Service says the ports and protocols of a destination
  const traffic = isService && direction === 'egress' ? {} : trafficOf(random)
  const ports = protocols.some((protocol) => traffic.protocol === protocol) || traffic.protocol === 6
  // one family a rule: CIDRs of both are refused, and so are those of another than ipVersion says
  const family = traffic.family ?? random.pick([4, 4, 6] as const)
  // what is narrow by its ICMP type is seldom narrow by its ends too
  const wide = traffic.icmp !== undefined && random.chance(0.7)
  const source = wide ? {} : entity(random, family, ports, 'source')
  const destination = wide ? {} : entity(random, family, ports, 'destination')
  const own = direction === 'ingress' ? source : destination
  const other = isService ? { services: serviceOf(random, namespace) } : own
  const http = action === 'Allow' && direction === 'ingress' && (traffic.protocol === undefined || traffic.protocol === 'TCP')
  const { family: _, ...fields } = traffic
  return {
    action,
    ...fields,
    ...field('source', direction === 'ingress' ? other : source),
    ...field('destination', direction === 'egress' ? other : destination),
    ...(http ? maybe(random, 0.12, () => ({ http: { methods: ['GET'] } })) : {}),
  }
}

const field = (name: string, entityRule: EntityRule) => (Object.keys(entityRule).length > 0 ? { [name]: entityRule } : {})

/** in a namespaced policy the namespace of a Service may be left out */
function serviceOf(random: Random, namespace: string | undefined) {
  const name = random.pick(services)
  return namespace !== undefined && random.chance(0.3) ? { name } : { name, namespace: random.pick(namespaces) }
}

type Traffic = Pick<CalicoRule, 'protocol' | 'notProtocol' | 'icmp' | 'notICMP' | 'ipVersion'> & { readonly family?: 4 | 6 }

function trafficOf(random: Random): Traffic {
  switch (random.below(10)) {
    case 0:
    case 1:
    case 2: {
      if (random.chance(0.7)) return {}
      const family = random.pick([4, 6] as const)
      return { ipVersion: family, family }
    }
    case 3:
    case 5: {
      const family = random.pick([4, 6] as const)
      const icmp = {
        type: random.pick(family === 4 ? [8, 8, 0, 3] : [128, 128, 129, 1]),
        ...maybe(random, 0.3, () => ({ code: random.pick([0, 1]) })),
      }
      return {
        protocol: family === 4 ? random.pick(['ICMP', 1]) : random.pick(['ICMPv6', 58]),
        ...random.pick([{ icmp }, { icmp }, { notICMP: icmp }, {}]),
        ...maybe(random, 0.3, () => ({ ipVersion: family })),
        family,
      }
    }
    case 4:
      if (random.chance(0.3)) return { protocol: random.pick(['UDPLite', 47, 6, 'SCTP']) }
      return { notProtocol: random.pick(['TCP', 'UDP', 17, 'UDPLite']) }
    default:
      return { protocol: random.pick(protocols) }
  }
}

function entity(random: Random, family: 4 | 6, withPorts: boolean, side: 'source' | 'destination'): EntityRule {
  // a negated block of everything can never match, and is refused
  const notNets = [...new Set(times(random, 1, 2, () => cidr(random, family)))].filter((net) => !net.endsWith('/0'))
  const ports = () => times(random, 1, 3, () => port(random))
  // few rules say much about both ends
  const often = random.chance(0.5) ? 1 : 0.1
  const portsToo = withPorts && random.chance(side === 'destination' ? 0.65 : 0.1)
  return {
    ...maybe(random, 0.2 * often, () => ({ nets: [...new Set(times(random, 1, 2, () => cidr(random, family)))] })),
    ...(notNets.length > 0 ? maybe(random, 0.12 * often, () => ({ notNets })) : {}),
    ...maybe(random, 0.35 * often, () => ({ selector: endpointSelector(random) })),
    ...maybe(random, 0.2 * often, () => ({ notSelector: endpointSelector(random) })),
    ...maybe(random, 0.2 * often, () => ({ namespaceSelector: random.chance(0.15) ? 'global()' : calicoNamespaceSelector(random) })),
    ...maybe(random, 0.12 * often, () => ({ serviceAccounts: serviceAccounts(random) })),
    ...(portsToo ? maybe(random, 0.75, () => ({ ports: ports() })) : {}),
    ...(portsToo ? maybe(random, 0.2, () => ({ notPorts: ports() })) : {}),
  }
}

function serviceAccounts(random: Random) {
  const kind = random.below(3)
  return {
    ...(kind !== 0 ? { names: some(random, accounts, 1) } : {}),
    ...(kind !== 1 ? { selector: accountSelector(random) } : {}),
  }
}

function port(random: Random): number | string {
  const kind = random.below(10)
  if (kind < 5) return random.pick(portNumbers)
  if (kind < 8) return random.pick(portNames)
  return random.pick(['1:1023', '80:443', '8000:9000', '443:443'])
}
