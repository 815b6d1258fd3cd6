/** What kube-proxy's rules and virtual servers did on the walked paths, sorted by kind (chains: pkg/proxy/{iptables,ipvs,nftables}/proxier.go). */

import { parseServiceChain } from '../attribution/chain-owner.ts'
import { kubeProxyRole } from '../attribution/nft-names.ts'
import type { Hop } from '../types.ts'
import { actOf, roleOf } from './act.ts'
import type { Leg, Step } from './walked.ts'

export interface KubeProxyActs {
  /** the rule that took the packet for a Service port: by its address, or by its node port */
  readonly matched: readonly Step[]
  /** an endpoint chosen */
  readonly chosen: readonly Step[]
  /** a client noted in the set of its endpoint (nft) */
  readonly remembered: readonly Step[]
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

/** What the hops of some packets show of kube-proxy. */
export function kubeProxyActs(legs: readonly Leg[]): KubeProxyActs {
  const out: Record<Kind, Step[]> = {
    matched: [],
    chosen: [],
    remembered: [],
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
      for (const kind of kindsOf(step.hop)) out[kind].push(step)
    }
  }
  return out
}

/** What a rule is for is the same in every trace where its hop stands. */
const kinds = new WeakMap<Hop, readonly Kind[]>()

function kindsOf(hop: Hop): readonly Kind[] {
  let known = kinds.get(hop)
  if (!known) {
    const found = hop.stage === 'ipvs' ? ofVirtualServer(hop) : hop.table?.includes(' ') ? ofNftRule(hop) : ofIptablesRule(hop)
    kinds.set(hop, (known = found === undefined ? [] : typeof found === 'string' ? [found] : found))
  }
  return known
}

/** Chains that send a packet on to a Service's own chains. */
const entries: ReadonlySet<string> = new Set(['KUBE-SERVICES', 'KUBE-NODEPORTS'])
/** Chains of loadBalancerSourceRanges: iptables mode's, and those around IPVS. */
const firewalls: ReadonlySet<string> = new Set(['KUBE-PROXY-FIREWALL', 'KUBE-SOURCE-RANGES-FIREWALL', 'KUBE-IPVS-OUT-FILTER'])

function ofIptablesRule(hop: Hop): Kind | undefined {
  const { chain } = hop
  if (chain === undefined) return undefined
  const act = actOf(hop)
  switch (act.kind) {
    case 'dnat':
      return 'translated'
    case 'snat':
      return 'masqueraded'
    case 'lead': {
      if (act.to === 'KUBE-SOURCE-RANGES-FIREWALL') return 'filtered'
      const to = parseServiceChain(act.to)
      if (!to) return undefined
      if (to.role === 'SEP') return 'chosen'
      if (entries.has(chain)) return 'matched'
      return parseServiceChain(chain)?.role === 'FW' ? 'filtered' : undefined
    }
    case 'drop':
    case 'reject':
      if (firewalls.has(chain)) return 'filtered'
      return hop.object?.startsWith('service/') ? 'refused' : 'decided'
    case 'accept':
      // in nat it only ends the table: nothing is let through that would not be (around IPVS, KUBE-SERVICES ends so)
      return hop.table === 'nat' ? undefined : chain === 'KUBE-FORWARD' ? 'forwarded' : 'decided'
    case 'other':
      return undefined
  }
}

/** Chains: pkg/proxy/nftables/proxier.go. One rule may choose an endpoint and translate to it. */
function ofNftRule(hop: Hop): Kind | readonly Kind[] | undefined {
  const act = actOf(hop)
  const role = roleOf(hop)
  switch (act.kind) {
    case 'dnat':
      return role === 'endpoint' ? 'translated' : ['chosen', 'translated']
    case 'snat':
      return 'masqueraded'
    case 'lead': {
      const to = kubeProxyRole(act.to)
      if (to === 'endpoint') return 'chosen'
      if (to === 'firewall') return 'filtered'
      return to !== undefined && role === undefined ? 'matched' : undefined
    }
    case 'drop':
    case 'reject':
      if (role === 'firewall') return 'filtered'
      return hop.chain === 'reject-chain' || hop.chain?.endsWith('endpoints-check') ? 'refused' : 'decided'
    case 'accept':
      return undefined
    case 'other':
      return role === 'endpoint' && hop.action.includes('@affinity-') ? 'remembered' : undefined
  }
}

/** A virtual server takes the packet, then a real server is chosen and translated to, or there is none. */
function ofVirtualServer(hop: Hop): Kind | readonly Kind[] {
  if (hop.where === 'virtual server') return 'matched'
  return hop.weight === 'decides' ? 'refused' : ['chosen', 'translated']
}
