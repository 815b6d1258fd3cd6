import { members } from '../../cluster/bitset.ts'
import { appliedTo } from '../applied.ts'
import type { Policy, Rule } from '../model.ts'
import { placesOf, selected } from '../places.ts'
import { UDP } from '../protocols.ts'
import type { Endpoint, PolicyWorld } from '../world.ts'
import { type Check, nameOf, policiesOf, within } from './finding.ts'

const DNS = 53

/**
 * What such a policy selects may send, but can't look up to whom. Not told of policies that allow addresses only, and not where any other
 * policy of the same endpoints lets queries out, to whomever.
 */
export const dnsForgotten: Check = {
  code: 'LNT008',
  severity: 'warning',
  title: 'A policy allows egress and forgets DNS',
  *find({ world }) {
    const policies = policiesOf(world)
    for (const policy of policies) {
      if (!policy.egress || policy.hook !== 'normal' || policy.stagedAction !== undefined) continue
      const allowed = policy.egressRules.filter(({ action }) => action === 'allow')
      if (!allowed.some(needsNames) || policy.egressRules.some(mayLetQueriesOut)) continue
      const [deaf, all] = deafEndpoints(world, policy)
      const missing =
        all === 0 ? !policies.some((other) => sharesNamespace(other, policy) && other.egressRules.some(mayLetQueriesOut)) : deaf.length > 0
      if (!missing || endsOpen(world, policy)) continue
      yield {
        at: within(policy.origin, 'spec', 'egress'),
        message: `${nameOf(policy)} allows egress, but no DNS queries (UDP port 53): ${whom(deaf, all)} can't look up names`,
        fix: 'allow UDP and TCP port 53 to the DNS pods (k8s-app: kube-dns in namespace kube-system)',
      }
    }
  },
}

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
  if (ports && ports.names.length === 0 && !ports.ranges.some(({ lo, hi }) => lo <= DNS && DNS <= hi)) return false
  return !notPorts?.ranges.some(({ lo, hi }) => lo <= DNS && DNS <= hi)
}

/** Endpoints of the policy that nothing lets send queries, and how many it selects. */
function deafEndpoints(world: PolicyWorld, policy: Policy): readonly [deaf: readonly Endpoint[], all: number] {
  const own: Endpoint[] = []
  for (const place of members(selected(placesOf(world), policy.subject))) {
    const endpoint = world.endpoints[place]
    if (endpoint) own.push(endpoint)
  }
  return [own.filter((endpoint) => isDeaf(world, endpoint)), own.length]
}

/** Whether every query ends in a drop, at the end of the first tier that has one. */
function isDeaf(world: PolicyWorld, endpoint: Endpoint): boolean {
  const { tiers, profiles } = appliedTo(world, endpoint, { direction: 'egress', hook: 'normal', staged: false })
  for (const { policies, end } of tiers) {
    if (policies.some(({ rules }) => rules.some(({ rule }) => mayLetQueriesOut(rule)))) return false
    if (end.action === 'Deny') return true
  }
  return !profiles.some(({ rule }) => mayLetQueriesOut(rule))
}

const sharesNamespace = (other: Policy, policy: Policy): boolean =>
  other !== policy &&
  other.egress &&
  (other.namespace === undefined || policy.namespace === undefined || other.namespace === policy.namespace)

/** What no rule of the policy's tier decides goes on. */
const endsOpen = (world: PolicyWorld, { tier }: Policy): boolean => world.tiers.find(({ name }) => name === tier)?.defaultAction === 'Pass'
