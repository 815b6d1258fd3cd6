/** Who judged the packet: Felix's verdicts on the walked paths, for each endpoint and direction (felix/rules/endpoints.go, policy.go, static.go). */

import type { Hop } from '../types.ts'
import { actOf, chainOf, says } from './act.ts'
import type { Leg, Step } from './walked.ts'

export interface Judgement {
  /** chain of the endpoint: `cali-fw-…`; '' where no endpoint was found */
  readonly chain: string
  readonly node: string
  readonly direction: 'egress' | 'ingress'
  /** `forward`: a host endpoint's rules for traffic that only passes */
  readonly scope: 'workload' | 'host' | 'forward' | 'none'
  readonly verdict: 'allowed' | 'denied' | 'established'
  /** policy, profile or tier that decided */
  readonly by: string | undefined
  /** policies that were asked and did not decide, where the end of their tier did */
  readonly asked: readonly string[]
  /** rules to show, the deciding one first */
  readonly steps: readonly Step[]
}

const endpointChain = /^cali-(tw|fw|thfw|fhfw|th|fh)-/
const judgeChain = /^cali-(p[io]|pr[io]|g[io])-/

type Endpoint = Pick<Judgement, 'chain' | 'node' | 'direction' | 'scope'>

/** All judgements on these ways, each once, in the order in which they were met. */
export function judgements(legs: readonly Leg[]): readonly Judgement[] {
  const out = new Map<string, Judgement>()
  for (const leg of legs) {
    for (const j of ofLeg(leg)) {
      const key = `${j.node} ${j.chain} ${j.verdict} ${j.by} ${j.steps[0]?.hop.evidence?.line}`
      if (!out.has(key)) out.set(key, j)
    }
  }
  return [...out.values()]
}

function ofLeg(leg: Leg): readonly Judgement[] {
  const out: Judgement[] = []
  /** the endpoint whose chain was entered last, and the last rule of a policy or profile met since */
  let at: Endpoint | undefined
  let judge: Step | undefined
  let asked: string[] = []
  for (const step of leg) {
    const { hop } = step
    const chain = chainOf(hop)
    if (hop.owner !== 'calico' || chain === '') continue
    if (judgeChain.test(chain)) {
      judge = step
      if (hop.weight === 'decides' && at)
        out.push({ ...at, verdict: drops(hop) ? 'denied' : 'allowed', by: hop.object, asked: [], steps: [step] })
      continue
    }
    const here = endpointOf(hop.node, chain)
    if (here) {
      if (here.chain !== at?.chain || here.node !== at.node) {
        judge = undefined
        asked = []
      }
      at = here
      if (says(hop, 'Start of tier ')) asked = []
      else if (hop.object?.includes('policy') && hop.weight === 'passes') asked.push(hop.object)
      const verdict = verdictOf(step, here, judge, asked)
      if (verdict) out.push(verdict)
    } else if (hop.weight === 'decides' && drops(hop) && /dispatch|PREROUTING/.test(chain)) {
      out.push({
        asked: [],
        chain: '',
        node: hop.node,
        direction: chain.includes('-to-') ? 'ingress' : 'egress',
        scope: 'none',
        verdict: 'denied',
        by: undefined,
        steps: [step],
      })
    }
  }
  return out
}

/** What a rule of an endpoint's own chain says about the packet; nothing for those that only lead on. */
function verdictOf(step: Step, at: Endpoint, judge: Step | undefined, asked: readonly string[]): Judgement | undefined {
  const { hop } = step
  if (says(hop, 'Return if policy accepted') || says(hop, 'Return if profile accepted')) {
    return { ...at, verdict: 'allowed', by: judge?.hop.object, asked: [], steps: judge ? [judge, step] : [step] }
  }
  if (hop.weight !== 'decides') return undefined
  if (drops(hop)) {
    const tier = hop.object?.startsWith('tier/') ? hop.object : undefined
    return { ...at, verdict: 'denied', by: tier, asked: tier === undefined ? [] : [...new Set(asked)], steps: [step] }
  }
  // in an endpoint's own chain Felix accepts nothing but packets of connections that are known (felix/rules/endpoints.go)
  return { ...at, verdict: 'established', by: undefined, asked: [], steps: [step] }
}

function drops(hop: Hop): boolean {
  const { kind } = actOf(hop)
  return kind === 'drop' || kind === 'reject'
}

function endpointOf(node: string, chain: string): Endpoint | undefined {
  switch (endpointChain.exec(chain)?.[1]) {
    case 'fw':
      return { chain, node, direction: 'egress', scope: 'workload' }
    case 'tw':
      return { chain, node, direction: 'ingress', scope: 'workload' }
    case 'fh':
      return { chain, node, direction: 'ingress', scope: 'host' }
    case 'th':
      return { chain, node, direction: 'egress', scope: 'host' }
    case 'fhfw':
      return { chain, node, direction: 'ingress', scope: 'forward' }
    case 'thfw':
      return { chain, node, direction: 'egress', scope: 'forward' }
    default:
      return undefined
  }
}
