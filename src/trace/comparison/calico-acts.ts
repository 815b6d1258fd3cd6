/** What Calico's routes, devices and rules did on the walked paths, sorted by kind. */

import type { Cluster } from '../../cluster/types.ts'
import { isCalicoTunnel, isWorkloadDevice } from '../attribution/device-names.ts'
import type { Hop } from '../types.ts'
import { actOf, chainOf, remarkOf } from './act.ts'
import { deviceOf, isNode, type Leg, type Step } from './walked.ts'

export interface CalicoActs {
  /** a pod's own way out, the veth between pod and node, the host's route to the pod */
  readonly veth: readonly Step[]
  /** routes of Calico that a node chose: to a local pod, to a block */
  readonly routes: readonly Step[]
  /** masquerade by natOutgoing, or of the host's own wrong source address on a tunnel */
  readonly masqueraded: readonly Step[]
  /** floating IPs */
  readonly translated: readonly Step[]
  /** accepted after the policies ("Policy explicitly accepted packet.") */
  readonly forwarded: readonly Step[]
  /** dropped because a Service address came in that nobody translated (service loop prevention) */
  readonly loopStopped: readonly Step[]
  /** packed and unpacked, and Felix's rules about the tunnel packets */
  readonly tunnel: readonly Step[]
  /** a route of Calico to another node by which the packet really left, without encapsulation */
  readonly direct: readonly Step[]
  /** a route of Calico with several next hops */
  readonly balanced: readonly Step[]
}

type Kind = keyof CalicoActs

/** What the hops of some packets show of Calico. */
export function calicoActs(legs: readonly Leg[], cluster: Cluster): CalicoActs {
  const out: Record<Kind, Step[]> = {
    veth: [],
    routes: [],
    masqueraded: [],
    translated: [],
    forwarded: [],
    loopStopped: [],
    tunnel: [],
    direct: [],
    balanced: [],
  }
  for (const leg of legs) {
    for (let i = 0; i < leg.length; i++) {
      const step = leg[i] as Step
      if (step.hop.owner !== 'calico') continue
      if (step.hop.chain !== undefined) {
        const kind = kindOfRule(step.hop)
        if (kind) out[kind].push(step)
      } else {
        for (const kind of ofEntry(leg, i, cluster)) out[kind].push(step)
      }
    }
  }
  return out
}

/** What a rule is for is the same in every trace where its hop stands. */
const kinds = new WeakMap<Hop, { readonly kind: Kind | undefined }>()

function kindOfRule(hop: Hop): Kind | undefined {
  let known = kinds.get(hop)
  if (!known) kinds.set(hop, (known = { kind: ofRule(hop) }))
  return known.kind
}

function ofRule(hop: Hop): Kind | undefined {
  const act = actOf(hop).kind
  const chain = chainOf(hop)
  if (act === 'snat') return 'masqueraded'
  if (act === 'dnat') return 'translated'
  // what IPVS sends on passes OUTPUT: there Felix judges and accepts it by the mark of where it came from (felix/rules/static.go)
  if ((chain === 'FORWARD' || chain === 'cali-forward-endpoint-mark') && act === 'accept') return 'forwarded'
  if (chain === 'cali-cidr-block' && (act === 'drop' || act === 'reject')) return 'loopStopped'
  // Felix's own rules for the packets of its tunnels (felix/rules/static.go): by the port of VXLAN and WireGuard, by the protocol of IPIP
  if ((chain === 'cali-INPUT' || chain === 'cali-OUTPUT') && tunnelRule.test(remarkOf(hop))) return 'tunnel'
  return undefined
}

const tunnelRule = /(?:Allow|Drop|Reject) (?:incoming |outgoing )?(?:IPv[46] )?(?:VXLAN|IPIP|WireGuard)\b/i

function ofEntry(leg: Leg, at: number, cluster: Cluster): readonly Kind[] {
  const { hop } = leg[at] as Step
  switch (hop.stage) {
    case 'encapsulate':
    case 'decapsulate':
      return ['tunnel']
    case 'route': {
      if (!isNode(hop)) return ['veth']
      const device = deviceOf(hop)
      const kinds: Kind[] = ['routes']
      if (hop.choice) kinds.push('balanced')
      if (device === undefined) return kinds
      if (isWorkloadDevice(device, cluster)) kinds.push('veth')
      else if (!isCalicoTunnel(device) && leftBy(leg, at, device)) kinds.push('direct')
      return kinds
    }
    case 'device':
      return isWorkloadDevice(hop.where, cluster) || !isNode(hop) ? ['veth'] : []
    default:
      return []
  }
}

/** Did the packet go out by that device of that node, after the step `at` and before it was anywhere else? */
function leftBy(leg: Leg, at: number, device: string): boolean {
  for (let i = at + 1; i < leg.length; i++) {
    const { hop } = leg[i] as Step
    if (hop.node !== (leg[at] as Step).hop.node) return true
    if ((hop.stage === 'device' || hop.stage === 'underlay') && hop.where.startsWith(device)) return true
  }
  return false
}
