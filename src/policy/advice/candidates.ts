import { evaluate } from '../evaluate.ts'
import { explain } from '../explain.ts'
import type { End, PolicyFlow } from '../flow.ts'
import type { Direction, Policy, Rule } from '../model.ts'
import { hasPorts, isKubernetesProtocol } from '../protocols.ts'
import type { ExplainedPolicy, Mismatch, Verdict } from '../verdict.ts'
import type { PolicyWorld } from '../world.ts'
import type { Edit } from './edit.ts'
import { isCalico, type PeerWords, peersFor, podPeer } from './peer.ts'

/** Edits that may help one flow to what is wanted, smallest first. None of them is known to. */
export function candidatesFor(world: PolicyWorld, flow: PolicyFlow, wanted: 'allow' | 'deny'): readonly Edit[] {
  const verdict = evaluate(world, flow)
  const edits = wanted === 'allow' ? toAllow(world, flow, verdict) : toDeny(flow, verdict)
  return edits.toSorted((a, b) => COST[a.kind] - COST[b.kind])
}

const COST: Readonly<Record<Edit['kind'], number>> = {
  'add-port': 0,
  'add-peer': 1,
  'remove-port': 1,
  'remove-peer': 2,
  'add-rule': 3,
  'remove-rule': 4,
  'add-policy': 5,
}

/** The side that denies: rules that nearly match, a new rule, and the rule that denies. */
function toAllow(world: PolicyWorld, flow: PolicyFlow, verdict: Verdict): Edit[] {
  const direction: Direction = verdict.egress.verdict === 'deny' ? 'egress' : 'ingress'
  const last = verdict[direction].steps.at(-1)
  // what is allowed, though the API leaves it open, needs a policy of another kind
  if (verdict[direction].verdict !== 'deny' || (last?.kind !== 'rule' && last?.kind !== 'end-of-tier')) return []
  const explained = explain(world, flow)[direction].find(({ tier }) => tier.name === last.tier.name)
  const policies = (explained?.policies ?? []).filter(({ reached }) => reached)
  const edits = policies.flatMap((policy) => nearMisses(policy, flow, verdict, direction))
  if (last.kind === 'end-of-tier') {
    for (const policy of last.policies.filter((one) => canName(one, flow)).slice(0, 3)) {
      for (const peer of otherPeers(flow, verdict, direction, policy))
        edits.push({ kind: 'add-rule', policy, direction, action: 'allow', peer, ...portsOf(flow) })
    }
    return edits
  }
  // to pass leaves it to the policies behind, as far as the API has such an action
  const actions = last.policy.kind === 'KubernetesBaselineAdminNetworkPolicy' ? (['allow'] as const) : (['pass', 'allow'] as const)
  if (canName(last.policy, flow))
    for (const peer of otherPeers(flow, verdict, direction, last.policy))
      for (const action of actions)
        edits.push({ kind: 'add-rule', policy: last.policy, direction, action, before: last.rule, peer, ...portsOf(flow) })
  edits.push({ kind: 'remove-rule', policy: last.policy, direction, rule: last.rule })
  return edits
}

/** Rules that would allow, were it not for one thing. */
function nearMisses({ policy, rules }: ExplainedPolicy, flow: PolicyFlow, verdict: Verdict, direction: Direction): Edit[] {
  const side = direction === 'ingress' ? 'source' : 'destination'
  return rules.flatMap(({ rule, match }): Edit[] => {
    if (match.kind !== 'mismatch' || (rule.action !== 'allow' && rule.action !== 'pass')) return []
    const { ports, notPorts } = rule.destination
    // ports of Calico's rules are all of the rule's one protocol
    const may = isCalico(policy.kind) ? rule.protocol === flow.protocol : canName(policy, flow)
    if (match.failed.every(isOfPort) && ports && !notPorts && may && hasPorts(flow.protocol))
      return [{ kind: 'add-port', policy, direction, rule, ...portsOf(flow) }]
    const { notNets, notSelector } = rule[side]
    if (!match.failed.every(isOfPeer(side)) || notNets || notSelector) return []
    return otherPeers(flow, verdict, direction, policy).map((peer) => ({ kind: 'add-peer', policy, direction, rule, peer }))
  })
}

/** Kubernetes' kinds have no words for ICMP and all the others. */
const canName = ({ kind }: Policy, { protocol }: PolicyFlow): boolean => isCalico(kind) || isKubernetesProtocol(protocol)

const isOfPort = ({ criterion }: Mismatch): boolean => criterion === 'protocol' || criterion === 'destination ports'

const isOfPeer =
  (side: 'source' | 'destination') =>
  ({ criterion }: Mismatch): boolean =>
    criterion.startsWith(`${side} `) && !criterion.endsWith(' ports')

const otherPeers = (flow: PolicyFlow, verdict: Verdict, direction: Direction, policy: Policy): readonly PeerWords[] =>
  direction === 'ingress'
    ? peersFor(flow.source, verdict.sourceAddress, policy, direction)
    : peersFor(flow.destination, verdict.destinationAddress, policy, direction)

const portsOf = ({ protocol, port }: PolicyFlow) => ({ protocol, ...(port !== undefined && { port }) })

/** Both sides allow: whichever stops it will do, the destination's own first. */
function toDeny(flow: PolicyFlow, verdict: Verdict): Edit[] {
  return (['ingress', 'egress'] as const).flatMap((direction) => {
    const last = verdict[direction].steps.at(-1)
    if (last?.kind === 'rule') return narrowings(last.policy, last.rule, flow, verdict, direction)
    const end: End = direction === 'ingress' ? flow.destination : flow.source
    if (last?.kind !== 'profile' || !end.endpoint || end.endpoint.kind === 'host') return []
    // to isolate whoever sends is out of proportion, as long as the receiver can be
    if (direction === 'egress' && verdict.ingress.verdict !== 'n/a') return []
    const { namespace = '', origin } = end.endpoint
    return [
      {
        kind: 'add-policy',
        direction,
        subject: podPeer(end.endpoint, { kind: 'KubernetesNetworkPolicy', namespace }),
        namespace,
        origin,
      } as const,
    ]
  })
}

/** A rule that lets a flow pass, without what lets it pass. */
function narrowings(policy: Policy, rule: Rule, flow: PolicyFlow, verdict: Verdict, direction: Direction): Edit[] {
  const rules = (direction === 'ingress' ? policy.ingressRules : policy.egressRules).filter(({ index }) => index === rule.index)
  const edits: Edit[] = []
  const { port, protocol } = flow
  const listed = rules.flatMap(({ destination }) => destination.ports?.ranges ?? [])
  const names = rules.flatMap(({ destination }) => destination.ports?.names ?? [])
  const several = new Set(listed.map(({ lo, hi }) => `${lo}-${hi}`)).size + new Set(names).size > 1
  if (port !== undefined && rule.destination.ports && several && listed.some(({ lo, hi }) => lo === port && hi === port))
    edits.push({ kind: 'remove-port', policy, direction, rule, protocol, port })
  if (rule.peerOrigin && new Set(rules.map((r) => r.peerOrigin)).size > 1)
    edits.push({ kind: 'remove-peer', policy, direction, rule, peer: rule.peerOrigin })
  if (policy.kind !== 'KubernetesNetworkPolicy' && canName(policy, flow))
    for (const peer of otherPeers(flow, verdict, direction, policy))
      edits.push({ kind: 'add-rule', policy, direction, action: 'deny', before: rule, peer, ...portsOf(flow) })
  edits.push({ kind: 'remove-rule', policy, direction, rule })
  return edits
}
