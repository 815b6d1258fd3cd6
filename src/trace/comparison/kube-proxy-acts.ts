/** What kube-proxy's rules did on the walked paths, sorted by kind (chains: kube-proxy §4.3, §4.4). */

import { parseServiceChain } from '../attribution/chain-owner.ts'
import type { Hop } from '../types.ts'
import { type Leg, ruleText, type Step } from './walked.ts'

export interface KubeProxyActs {
  /** the rule that took the packet for a Service port: by its address, or by its node port */
  readonly matched: readonly Step[]
  /** an endpoint chosen */
  readonly chosen: readonly Step[]
  readonly translated: readonly Step[]
  readonly masqueraded: readonly Step[]
  /** accepted in KUBE-FORWARD */
  readonly forwarded: readonly Step[]
  /** rejected or dropped for want of endpoints */
  readonly refused: readonly Step[]
  /** dropped, or let in, by loadBalancerSourceRanges */
  readonly filtered: readonly Step[]
  /** any other verdict: INVALID packets, localnet guard, health check ports */
  readonly decided: readonly Step[]
}

type Kind = keyof KubeProxyActs

export function kubeProxyActs(legs: readonly Leg[]): KubeProxyActs {
  const out: Record<Kind, Step[]> = {
    matched: [],
    chosen: [],
    translated: [],
    masqueraded: [],
    forwarded: [],
    refused: [],
    filtered: [],
    decided: [],
  }
  for (const leg of legs) {
    for (const step of leg) {
      if (step.hop.owner !== 'kube-proxy') continue
      const kind = kindOf(step.hop)
      if (kind) out[kind].push(step)
    }
  }
  return out
}

/** Chains that send a packet on to a Service's own chains. */
const entries: ReadonlySet<string> = new Set(['KUBE-SERVICES', 'KUBE-NODEPORTS'])

/** What a rule is for is the same in every trace where its hop stands. */
const kinds = new WeakMap<Hop, { readonly kind: Kind | undefined }>()

function kindOf(hop: Hop): Kind | undefined {
  let known = kinds.get(hop)
  if (!known) kinds.set(hop, (known = { kind: ofRule(hop) }))
  return known.kind
}

function ofRule(hop: Hop): Kind | undefined {
  const { chain } = hop
  if (chain === undefined) return undefined
  const text = ruleText(hop)
  const target = / -[jg] (\S+)/.exec(text)?.[1]
  if (target === 'DNAT') return 'translated'
  if (target === 'MASQUERADE' || target === 'SNAT') return 'masqueraded'
  if (target?.startsWith('KUBE-')) {
    const to = parseServiceChain(target)
    if (!to) return undefined
    if (to.role === 'SEP') return 'chosen'
    if (entries.has(chain)) return 'matched'
    return parseServiceChain(chain)?.role === 'FW' ? 'filtered' : undefined
  }
  if (target === 'REJECT' || target === 'DROP') {
    if (chain === 'KUBE-PROXY-FIREWALL' || chain === 'KUBE-SOURCE-RANGES-FIREWALL') return 'filtered'
    return hop.object?.startsWith('service/') ? 'refused' : 'decided'
  }
  if (target === 'ACCEPT') return chain === 'KUBE-FORWARD' ? 'forwarded' : 'decided'
  return undefined
}
