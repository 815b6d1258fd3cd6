/** Who gave the request another destination, in whichever table: a rule of iptables or nft, a virtual server. */
import type { Ip } from '../../net/ip.ts'
import { ruleView } from '../attribution/rule-view.ts'
import { virtualServerObject } from '../attribution/virtual-server.ts'
import type { Step } from '../step.ts'
import type { Case } from './case.ts'

export interface Translation {
  readonly step: Step
  readonly to: Ip
  readonly port: number | undefined
  /** the Service port that it was done for */
  readonly object: string | undefined
}

/** The translation that stands at the end of the request's way. Outer packets of tunnels have destinations of their own, which are none. */
export function translation({ result, request, cluster }: Pick<Case, 'result' | 'request' | 'cluster'>): Translation | undefined {
  let { dst, dport } = request
  let step: Step | undefined
  let inTunnel = false
  for (const s of result.steps) {
    if (s.kind === 'entry' && s.stage === 'encapsulate') inTunnel = true
    else if (s.kind === 'entry' && s.stage === 'decapsulate') inTunnel = false
    else if (!inTunnel && s.packet && (s.packet.dst.text !== dst.text || s.packet.dport?.lo !== dport?.lo)) {
      step = s
      dst = s.packet.dst
      dport = s.packet.dport
    }
  }
  if (!step) return undefined
  return { step, to: dst, port: dport?.lo, object: objectOf(step, cluster) }
}

function objectOf(step: Step, cluster: Case['cluster']): string | undefined {
  if (step.kind !== 'entry') return ruleView(step, cluster, step.place.host.name).object
  return step.object ?? (step.virtualServer && virtualServerObject(step.virtualServer, cluster))
}
