import { members } from '../../cluster/bitset.ts'
import { appliedTo } from '../applied.ts'
import { evaluate } from '../evaluate.ts'
import type { Policy, Rule } from '../model.ts'
import { placesOf, selected } from '../places.ts'
import { UDP } from '../protocols.ts'
import { resolveEnd } from '../query/ends.ts'
import type { Endpoint, PolicyWorld } from '../world.ts'
import { type Check, nameOf, policiesOf, within } from './finding.ts'

const DNS = 53
/** OpenShift's DNS pods listen on 5353. */
const DNS_PORTS: readonly number[] = [DNS, 5353]

/**
 * What such a policy selects may send, but can't look up to whom. Not told of policies that allow addresses only, and not where any other
 * policy of the same endpoints lets queries out: to whomever, or to the DNS pods if they are in the input.
 */
export const dnsForgotten: Check = {
  code: 'LNT008',
  severity: 'warning',
  title: 'A policy allows egress and forgets DNS',
  *find({ world }) {
    const policies = policiesOf(world)
    const servers = world.endpoints.filter(isDns)
    const known = new Map<Endpoint, Deafness>()
    const deafnessOf = (endpoint: Endpoint): Deafness => {
      let deafness = known.get(endpoint)
      if (!deafness) known.set(endpoint, (deafness = ask(world, endpoint, servers)))
      return deafness
    }
    for (const policy of policies) {
      if (!policy.egress || policy.hook !== 'normal' || policy.stagedAction !== undefined || endsOpen(world, policy)) continue
      if (!policy.egressRules.some((rule) => rule.action === 'allow' && needsNames(rule))) continue
      const own = [...members(selected(placesOf(world), policy.subject))].flatMap((place) => world.endpoints[place] ?? [])
      const deaf = own.filter((endpoint) => deafnessOf(endpoint).by.includes(policy))
      // without endpoints by what policies of the namespace say
      const listening =
        own.length > 0 ? deaf.length === 0 : policies.some((other) => meets(other, policy) && other.egressRules.some(mayLetQueriesOut))
      if (listening) continue
      const elsewhere = policy.egressRules.some(mayLetQueriesOut)
      yield {
        at: within(policy.origin, 'spec', 'egress'),
        message: `${nameOf(policy)} allows egress, but no DNS queries${elsewhere ? ' to the DNS pods' : ' (UDP port 53)'}: ${whom(deaf, own.length)} can't look up names`,
        fix: 'allow UDP and TCP port 53 to the DNS pods (k8s-app: kube-dns in namespace kube-system)',
      }
    }
  },
}

/** Policies by whose end of tier no query gets out. */
interface Deafness {
  readonly by: readonly Policy[]
}

const LISTENS: Deafness = { by: [] }

function ask(world: PolicyWorld, endpoint: Endpoint, servers: readonly Endpoint[]): Deafness {
  const { tiers } = appliedTo(world, endpoint, { direction: 'egress', hook: 'normal', staged: false })
  for (const { policies, end } of tiers) {
    if (policies.some(({ rules }) => rules.some(({ rule }) => mayLetQueriesOut(rule)))) return askDnsPods(world, endpoint, servers)
    if (end.action === 'Deny') return { by: end.policies }
  }
  return LISTENS
}

/** Whether queries to the DNS pods end where no rule lets them out. */
function askDnsPods(world: PolicyWorld, endpoint: Endpoint, servers: readonly Endpoint[]): Deafness {
  const source = resolveEnd(world, endpoint.id)
  if (servers.length === 0 || isDns(endpoint) || !source) return LISTENS
  let by: readonly Policy[] = []
  for (const destination of [...servers.slice(0, 3).map(({ id }) => id), NODE_LOCAL].flatMap((id) => resolveEnd(world, id) ?? [])) {
    for (const port of DNS_PORTS) {
      const { verdict, steps } = evaluate(world, { source, destination, protocol: UDP, port }).egress
      const last = steps.at(-1)
      if (verdict !== 'deny' || last?.kind !== 'end-of-tier') return LISTENS
      by = last.policies
    }
  }
  return { by }
}

/** As kubeadm and its like label them; OpenShift's listen on another port. */
const isDns = ({ namespace, labels }: Endpoint): boolean =>
  (namespace === 'kube-system' && labels.get('k8s-app') === 'kube-dns') ||
  (namespace === 'openshift-dns' && labels.get('dns.operator.openshift.io/daemonset-dns') !== undefined)

/** NodeLocal DNSCache */
const NODE_LOCAL = '169.254.20.10'

const whom = (deaf: readonly Endpoint[], all: number): string => {
  if (all === 0) return 'what it selects'
  return deaf.length === 1 ? (deaf[0] as Endpoint).id : `${deaf.length} of the ${all} endpoints that it selects`
}

/** A rule whose peers are found by name: addresses need none. */
const needsNames = ({ destination: { nets, nodes, selector, service } }: Rule): boolean =>
  !(nodes || (nets && !selector) || service?.name === 'kube-dns')

function mayLetQueriesOut({ action, protocol, notProtocol, destination: { ports, notPorts } }: Rule): boolean {
  if (action !== 'allow' && action !== 'pass') return false
  if ((protocol !== undefined && protocol !== UDP) || notProtocol === UDP) return false
  if (ports && ports.names.length === 0 && !ports.ranges.some(({ lo, hi }) => DNS_PORTS.some((port) => lo <= port && port <= hi)))
    return false
  return !notPorts?.ranges.some(({ lo, hi }) => lo <= DNS && DNS <= hi)
}

/** Policies that may select what this one selects, itself too. */
const meets = (other: Policy, policy: Policy): boolean =>
  other.egress && (other.namespace === undefined || policy.namespace === undefined || other.namespace === policy.namespace)

/** What no rule of the policy's tier decides goes on. */
const endsOpen = (world: PolicyWorld, { tier }: Policy): boolean => world.tiers.find(({ name }) => name === tier)?.defaultAction === 'Pass'
