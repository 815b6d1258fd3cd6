/** Felix dropped the packet: which policies had to admit it and did not (Calico datapath §4.5–4.7). */
import type { Chain, Rule, Table } from '../../kernel/iptables/types.ts'
import { policyOfChain } from '../attribution/calico-names.ts'
import { objectOfCalicoChain } from '../attribution/calico-object.ts'
import { ruleOwner } from '../attribution/rule-owner.ts'
import type { Step } from '../run.ts'
import { type Case, type Explain, type Finding, nodeOf } from './case.ts'
import { wantsInvalid } from './detour.ts'
import { remark, ruleLine, said, some, spoken } from './words.ts'

const endpointChain = /^cali-(tw|fw|th|fh|thfw|fhfw)-/
const policyChain = /^cali-(p[io])-(.*)$/
const groupChain = /^cali-g[io]-/
const profileChain = /^cali-pr[io]-/

/** Chains of what comes to an endpoint; a host endpoint's `from` chains are about what comes to the host. */
const ingress = /^cali-(tw|fh|fhfw)-/

interface Place {
  readonly node: string
  readonly table: Table
  readonly chain: Chain
  readonly rule: Rule
}

export const policyDrop: Explain = (c) => {
  const { blame } = c
  const rule = blame.rule?.rule
  if (!blame.rule || !rule || ruleOwner(blame.rule.table.name, blame.rule.chain.name, rule) !== 'calico') return undefined
  const at: Place = { node: nodeOf(blame.place), table: blame.rule.table, chain: blame.rule.chain, rule }
  const base = { node: at.node, kind: 'policy' as const, ...(blame.source && { source: blame.source }) }
  if (policyChain.test(at.chain.name) || profileChain.test(at.chain.name)) return { ...base, ...denied(c, at) }
  const why = remark(rule)
  if (endpointChain.test(at.chain.name)) {
    const tier = why && /^End of tier (\S+?)\./.exec(why)?.[1]
    if (tier) return { ...base, ...notAdmitted(c, at, tier) }
    if (why?.startsWith('Drop if no profiles matched')) return { ...base, ...noProfile(c, at) }
  }
  return { ...other(c, at, why), ...(blame.source && { source: blame.source }) }
}

type Words = Pick<Finding, 'entry' | 'object'>

/** A rule with action Deny. */
function denied(c: Case, at: Place): Words {
  const object = objectOfCalicoChain(at.chain.name, c.cluster, at.node)
  const endpoint = endpointOf(c, lastEndpointChain(c.steps))
  return {
    entry: `a deny rule of ${object ? spoken(object) : at.chain.name} drops ${said(c.packet)}${endpoint}`,
    ...(object && { object }),
  }
}

/** Policies of a tier apply to the endpoint, and none of them passed the packet. */
function notAdmitted(c: Case, at: Place, tier: string): Words {
  const policies = policiesOf(c, at, tier)
  const way = ingress.test(at.chain.name) ? 'ingress' : 'egress'
  const inTier = tier === 'default' ? '' : ` in tier ${tier}`
  const whose = endpointOf(c, at.chain.name)
  if (policies.length === 0)
    return { entry: `tier ${tier} lets nothing pass that no policy admits: ${said(c.packet)}${whose}`, object: `tier/${tier}` }
  return { entry: `no ${way} rule of ${some(policies.map(spoken))}${inTier} admits ${said(c.packet)}${whose}`, object: policies.join(', ') }
}

/**
 * The policies that the endpoint's chain asks between the start of the tier and the rule that drops; groups of policies have a chain of their own.
 * Staged policies decide nothing: they are left out.
 */
function policiesOf(c: Case, at: Place, tier: string): readonly string[] {
  const start = at.chain.rules.findIndex((r) => remark(r) === `Start of tier ${tier}`)
  const out = new Set<string>()
  const visit = (rules: readonly Rule[]): void => {
    for (const { target } of rules) {
      if (target?.kind !== 'jump' && target?.kind !== 'goto') continue
      const named = policyChain.exec(target.chain)
      if (named) out.add(policyOfChain(named[2] as string, c.cluster) ?? target.chain)
      else if (groupChain.test(target.chain)) visit(at.table.chains.get(target.chain)?.rules ?? [])
    }
  }
  visit(at.chain.rules.slice(start + 1, at.chain.rules.indexOf(at.rule)))
  return [...out].filter((o) => !o.startsWith('staged'))
}

/** No policy applies in this direction, and none of the endpoint's profiles takes the packet: pods without a known namespace, or bare host endpoints. */
function noProfile(c: Case, at: Place): Words {
  const object = objectOfCalicoChain(at.chain.name, c.cluster, at.node)
  const what = object?.startsWith('hostendpoint/') ? 'no policy of the host endpoint' : 'no policy and no profile'
  return { entry: `${what} admits ${said(c.packet)}${endpointOf(c, at.chain.name)}`, ...(object && { object }) }
}

/** Felix's own guards: unknown interfaces, spoofed sources, INVALID packets, tunnel packets of strangers. */
function other(c: Case, at: Place, why: string | undefined): Finding {
  const line = c.blame.source ? ruleLine(c.snapshot, c.blame.source) : ''
  const object = objectOfCalicoChain(at.chain.name, c.cluster, at.node)
  const means = why ?? guard(at.rule)
  return { node: at.node, kind: 'rule', entry: means === undefined ? line : `${means}: ${line}`, ...(object && { object }) }
}

function guard(rule: Rule): string | undefined {
  if (rule.matches.some((m) => m.kind === 'rpfilter')) return 'Felix drops a source address that the interface may not have'
  return wantsInvalid(rule) ? 'conntrack holds the packet for INVALID' : undefined
}

const lastEndpointChain = (steps: readonly Step[]): string | undefined =>
  steps.findLast((s): s is Extract<Step, { kind: 'rule' }> => s.kind === 'rule' && endpointChain.test(s.chain.name))?.chain.name

/** ` (pod shop/api-1)`, the endpoint that the chain guards */
function endpointOf(c: Case, chain: string | undefined): string {
  const object = chain && objectOfCalicoChain(chain, c.cluster, c.blame.place.host.name)
  return object ? ` (${spoken(object)})` : ''
}
