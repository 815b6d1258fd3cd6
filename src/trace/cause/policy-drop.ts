/** Felix dropped the packet: which policies had to admit it and did not (felix/rules/endpoints.go, policy.go). */
import type { NftRule } from '../../kernel/nftables/types.ts'
import { policyOfChain } from '../attribution/calico-names.ts'
import { objectOfCalicoChain } from '../attribution/calico-object.ts'
import { felixLayer } from '../attribution/nft-names.ts'
import { chainView, type RuleView, ruleView } from '../attribution/rule-view.ts'
import type { RulePlace } from '../step.ts'
import { type Case, type Explain, type Finding, nodeOf, unresolvedNeighbour } from './case.ts'
import { ruleLine, said, some, spoken } from './words.ts'

const endpointChain = /^cali-(tw|fw|th|fh|thfw|fhfw)-/
const policyChain = /^cali-(p[io])-(.*)$/
const groupChain = /^cali-g[io]-/
const profileChain = /^cali-pr[io]-/

/** Chains of what comes to an endpoint; a host endpoint's `from` chains are about what comes to the host. */
const ingress = /^cali-(tw|fh|fhfw)-/

interface Place {
  readonly node: string
  readonly at: RulePlace
  readonly view: RuleView
}

/** The cause is the policy that denied the packet, or those that would have had to admit it. */
export const policyDrop: Explain = (c) => {
  const { blame } = c
  if (!blame.rule?.rule) return undefined
  const view = ruleView(blame.rule, c.cluster, blame.place.host.name)
  if (view.owner !== 'calico') return undefined
  const at: Place = { node: nodeOf(blame.place), at: blame.rule, view }
  const base = { node: at.node, kind: 'policy' as const, ...(blame.source && { source: blame.source }) }
  if (policyChain.test(view.chain) || profileChain.test(view.chain)) return { ...base, ...denied(c, at) }
  const why = view.remarks[0]
  if (endpointChain.test(view.chain)) {
    const tier = why && /^End of tier (\S+?)\./.exec(why)?.[1]
    if (tier) return { ...base, ...notAdmitted(c, at, tier) }
    // the verb is FilterDenyAction's
    if (why && /^(?:Drop|Reject) if no profiles matched/.test(why)) return { ...base, ...noProfile(c, at) }
  }
  return { ...other(c, at, why), ...(blame.source && { source: blame.source }) }
}

function lost(c: Case): string {
  const neighbour = unresolvedNeighbour(c)
  return neighbour === undefined ? said(c.packet) : `the ICMPv6 neighbour discovery of ${neighbour}`
}

type Words = Pick<Finding, 'entry' | 'object'>

/** A rule with action Deny. */
function denied(c: Case, at: Place): Words {
  const object = objectOfCalicoChain(at.view.chain, c.cluster, at.node)
  const endpoint = endpointOf(c, lastEndpointChain(c))
  return {
    entry: `a deny rule of ${object ? spoken(object) : at.view.chain} drops ${lost(c)}${endpoint}`,
    ...(object && { object }),
  }
}

/** Policies of a tier apply to the endpoint, and none of them passed the packet. */
function notAdmitted(c: Case, at: Place, tier: string): Words {
  const policies = policiesOf(c, at, tier)
  const way = ingress.test(at.view.chain) ? 'ingress' : 'egress'
  const inTier = tier === 'default' ? '' : ` in tier ${tier}`
  const whose = endpointOf(c, at.view.chain)
  if (policies.length === 0)
    return { entry: `tier ${tier} lets nothing pass that no policy admits: ${lost(c)}${whose}`, object: `tier/${tier}` }
  return { entry: `no ${way} rule of ${some(policies.map(spoken))}${inTier} admits ${lost(c)}${whose}`, object: policies.join(', ') }
}

/**
 * The policies that the endpoint's chain asks between the start of the tier and the rule that drops; groups of policies have a chain of their own.
 * Staged policies decide nothing: they are left out.
 */
function policiesOf(c: Case, { at, view }: Place, tier: string): readonly string[] {
  const own = chainView(at, view.chain, c.cluster, c.blame.place.host.name)
  const out = new Set<string>()
  const visit = (rules: readonly RuleView[]): void => {
    for (const { to } of rules) {
      if (to === undefined) continue
      const named = policyChain.exec(to)
      if (named) out.add(policyOfChain(named[2] as string, c.cluster) ?? to)
      else if (groupChain.test(to)) visit(chainView(at, to, c.cluster))
    }
  }
  const start = own.findIndex((r) => r.remarks[0] === `Start of tier ${tier}`)
  const end = own.findIndex((r) => r.source.line === view.source.line && r.remarks[0] === view.remarks[0])
  visit(own.slice(start + 1, end))
  return [...out].filter((o) => !o.startsWith('staged'))
}

/** No policy applies in this direction, and none of the endpoint's profiles takes the packet: pods without a known namespace, or bare host endpoints. */
function noProfile(c: Case, at: Place): Words {
  const object = objectOfCalicoChain(at.view.chain, c.cluster, at.node)
  const what = object?.startsWith('hostendpoint/') ? 'no policy of the host endpoint' : 'no policy and no profile'
  return { entry: `${what} admits ${lost(c)}${endpointOf(c, at.view.chain)}`, ...(object && { object }) }
}

/** Felix's own guards: unknown interfaces, spoofed sources, INVALID packets, tunnel packets of strangers. */
function other(c: Case, at: Place, why: string | undefined): Finding {
  const line = ruleLine(c)
  const object = objectOfCalicoChain(at.view.chain, c.cluster, at.node)
  const means = why ?? guard(at)
  return { node: at.node, kind: 'rule', entry: means === undefined ? line : `${means}: ${line}`, ...(object && { object }) }
}

function guard({ at, view }: Place): string | undefined {
  if (at.kind === 'rule' ? at.rule?.matches.some((m) => m.kind === 'rpfilter') : at.rule && asksReversePath(at.rule))
    return 'Felix drops a source address that the interface may not have'
  return view.wantsInvalid ? 'conntrack holds the packet for INVALID' : undefined
}

/** `fib saddr . mark . iif oif 0` */
const asksReversePath = (rule: NftRule): boolean =>
  rule.statements.some((s) => s.kind === 'match' && s.left.kind === 'fib' && s.left.flags.includes('saddr') && s.left.result !== 'type')

const lastEndpointChain = (c: Case): string | undefined =>
  c.steps
    .flatMap((s) => (s.kind === 'entry' ? [] : [s.kind === 'nft' ? (felixLayer(s.chain.name)?.chain ?? '') : s.chain.name]))
    .findLast((chain) => endpointChain.test(chain))

/** ` (pod shop/api-1)`, the endpoint that the chain guards */
function endpointOf(c: Case, chain: string | undefined): string {
  const object = chain && objectOfCalicoChain(chain, c.cluster, c.blame.place.host.name)
  return object ? ` (${spoken(object)})` : ''
}
